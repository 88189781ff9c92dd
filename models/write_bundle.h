// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/safetensors.h"
#include "models/card.h"

namespace vqc {

// Beside model.safetensors: tables of priors that the model had before, named by EarlierTablesName. Those of
// older bundles are in model.safetensors.
inline constexpr std::string_view kEarlierFile = "earlier.safetensors";

// A tensor with its bytes, where no file is behind it.
struct OwnedTensor {
  DType dtype = DType::kU8;
  std::vector<int64_t> shape;
  std::vector<uint8_t> bytes;
};
using OwnedTensors = std::map<std::string, OwnedTensor>;

std::map<std::string, TensorView> ViewsOf(const OwnedTensors& tensors);

// Writes model.safetensors and card.json into `folder`, which is made if need be, replacing what is there.
Status WriteModelFolder(const std::string& folder, std::span<const uint8_t> weights, std::string_view card);

// Writes card.json and model.safetensors of a bundle into `folder`, replacing what is there. The card's
// identities are computed from the tensors.
Status WriteBundleFiles(const std::string& folder, ModelCard card,
                        const std::map<std::string, TensorView>& tensors);

}  // namespace vqc
