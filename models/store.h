// SPDX-License-Identifier: Apache-2.0
// Where models are found: a folder given by path, or a name or key looked up in the model folders
// ($VQCODEC_MODELS, then the installed share/vqcodec/models, then models/pretrained of the source tree).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "models/card.h"

namespace vqc {

inline constexpr std::string_view kDefaultImageModel = "image-f16";

struct ModelEntry {
  std::string folder;
  ModelCard card;
};

// Every readable card in the model folders, by name; a card that cannot be read is reported in `bad`.
std::vector<ModelEntry> ListModels(std::vector<std::string>* bad = nullptr);
Result<ModelEntry> FindModel(const std::string& name_or_folder);
Result<ModelEntry> FindModel(const ModelKey& key);

}  // namespace vqc
