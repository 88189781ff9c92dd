// SPDX-License-Identifier: Apache-2.0
// The families of public checkpoints. Each is one file here and one row in families.cc.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "models/import/hub_weights.h"

namespace vqc {

struct Family {
  std::string_view name;       // as users know it
  std::string_view tokenizer;  // of the card
  Modality modality;
  bool (*matches)(const HubModel& model);
  // The network's config, as the tokenizer reads it.
  Result<nlohmann::json> (*config)(const HubModel& model);
  // The values of a tensor of our network.
  Result<std::vector<float>> (*fetch)(HubWeights& weights, const std::string& name,
                                      const std::vector<int64_t>& shape);
  // Tensors that only training needs.
  bool (*ignored)(std::string_view name);
};

std::span<const Family> Families();
// Error kModel: what the checkpoint says of itself, and the known families.
Result<const Family*> FamilyOf(const HubModel& model);

extern const Family kCosmosFamily;
extern const Family kDacFamily;
extern const Family kEncodecFamily;
extern const Family kIbqFamily;
extern const Family kMagvit2Family;
extern const Family kMimiFamily;
extern const Family kSnacFamily;
extern const Family kWavTokenizerFamily;

// Three spellings of one network (vqgan.cc).
extern const Family kTamingFamily;
extern const Family kLlamaGenFamily;
extern const Family kVqModelFamily;

}  // namespace vqc
