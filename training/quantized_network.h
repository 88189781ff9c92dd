// SPDX-License-Identifier: Apache-2.0
// What the trainers of networks with a quantizer do alike: name parameters, keep and export codebooks.
#pragma once

#include <torch/nn/module.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "models/weights.h"
#include "quantizers/quantizer.h"
#include "training/optimizer.h"

namespace vqc {

// Appends the parameters of `module` that gradients reach, each name after `prefix`.
void AddTrainable(const torch::nn::Module& module, const std::string& prefix,
                  std::vector<NamedParameter>& parameters);

// What a quantizer keeps beside the optimizer's parameters, in a training state under "trainer.quantizer.".
void SaveQuantizer(const Quantizer& quantizer, TensorBag& bag);
Status LoadQuantizer(Quantizer& quantizer, const SafeTensors& state);

// Copies the tensor `name` of a training state. Error kModel: it is missing or has another shape.
Status ReadInto(const SafeTensors& state, const std::string& name, torch::Tensor into);

// Averaged weights, and codebooks that gradients do not reach, as F16. Parameters whose names begin with
// `left_out` served the training only.
void ExportWeights(const Optimizer& optimizer, const Quantizer& quantizer, TensorBag& bag,
                   const std::string& left_out = "");

// The codewords that "simvq", "vqgan_lc" or "vqbridge" computes from its parameters as they are, in a "vq"
// that is all that inference needs; ids are renamed as Quantizer::Arrange does. Nothing for other quantizers.
struct PlainVq {
  nlohmann::json config;
  std::shared_ptr<Quantizer> quantizer;
};
std::optional<PlainVq> PlainQuantizer(Quantizer& quantizer);

}  // namespace vqc
