// SPDX-License-Identifier: Apache-2.0
// Checkpoints in the layouts of their authors come without a config that we know: the shapes of their tensors
// tell the sizes of the network.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "models/import/hub_model.h"

namespace vqc {

class HubShapes {
 public:
  // `model` lives as long as the object.
  explicit HubShapes(const HubModel& model) : model_(model) {}

  // Of NAME.weight in any spelling of weight norm, filled up with zeros to three sizes; zeros where there is
  // none.
  std::vector<int64_t> OfWeight(const std::string& name) const;
  // Of another tensor, filled up with zeros to two sizes.
  std::vector<int64_t> Of(const std::string& name) const;
  // Tensors PREFIX0SUFFIX, PREFIX1SUFFIX ... up to the first that is missing.
  size_t Count(const std::string& prefix, const std::string& suffix) const;

 private:
  const HubModel& model_;
};

// Adds to `config` what no shape tells, each field of `usual`: what config.json says of it, else the usual
// value. Error kModel names a field that has neither, which is null in `usual`.
Status AddUntold(const HubModel& model, const nlohmann::json& usual, nlohmann::json& config);

}  // namespace vqc
