// SPDX-License-Identifier: Apache-2.0
// SEANet with the names that EnCodec's authors gave its tensors, which WavTokenizer and Mimi took over:
// convolutions within modules that pad and normalise.
#pragma once

#include <string>

#include "models/import/hub_shapes.h"

namespace vqc {

class SeanetLayout {
 public:
  // `prefix`: what stands before "encoder.model." and "decoder.model.". `model` lives as long as the object.
  explicit SeanetLayout(const HubModel& model, std::string prefix = "")
      : model_(model), shapes_(model), prefix_(std::move(prefix)) {}

  // Adds the fields of nn::SeanetConfig that the shapes of the encoder tell. Error kModel names the layer
  // where they are not those of an encoder.
  Status Read(nlohmann::json& config) const;
  // The checkpoint's name for a tensor of our network; those of other parts stay as they are.
  std::string NameOf(const std::string& name) const;

 private:
  std::vector<int64_t> OfLayer(size_t number, const char* rest) const;

  const HubModel& model_;
  HubShapes shapes_;
  std::string prefix_;
};

}  // namespace vqc
