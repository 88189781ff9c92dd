// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "models/import/hub_model.h"

namespace vqc {

inline constexpr int kUsualGroups = 32;  // of the norms

// The first size of a checkpoint's tensor. Error kModel names one that is missing.
Result<int64_t> FirstSize(const HubModel& model, const std::string& name);

// What the shapes of the tensors tell of a picture network that has the names of taming-transformers.
class PictureShapes {
 public:
  // The checkpoint's name for a tensor of a network of so many sizes.
  using Rename = std::string (*)(const std::string& name, size_t levels);

  PictureShapes(const HubModel& model, Rename rename);

  size_t levels() const { return levels_; }
  // {"groups", "widths", "blocks"} of a config, and all fields of VqganConfig. Error kModel names a tensor
  // that is missing.
  Result<nlohmann::json> Sizes(int groups) const;
  Result<nlohmann::json> VqganFields(int groups) const;

 private:
  static std::string Level(size_t level) { return "encoder.down." + std::to_string(level); }
  bool Has(const std::string& name) const { return model_.Has(rename_(name, levels_)); }
  Result<int64_t> First(const std::string& name) const { return FirstSize(model_, rename_(name, levels_)); }

  const HubModel& model_;
  Rename rename_;
  size_t levels_ = 0;
};

// For checkpoints that have our names.
inline std::string OwnName(const std::string& name, size_t) { return name; }

}  // namespace vqc
