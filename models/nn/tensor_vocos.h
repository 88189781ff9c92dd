// SPDX-License-Identifier: Apache-2.0
// The parts of models/nn/vocos.h on whole sounds. Tensors and errors are those of the loaders in models/nn.
#pragma once

#include <string>

#include "models/nn/tensor_flow.h"

namespace vqc::nn {

LayerPtr MakeTensorNorm(const TensorPlace& place, const audio::NormWeights& norm);
// Residual units and attention between all rows.
Result<LayerPtr> LoadTensorContext(const TensorPlace& place, const Weights& weights, const std::string& name,
                                   size_t width, size_t groups);
Result<LayerPtr> LoadTensorPointConvs(const TensorPlace& place, const Weights& weights,
                                      const std::string& name, const audio::NormWeights& norm, size_t inner);
// In float32 whatever the place's type is.
Result<LayerPtr> LoadTensorIstftHead(const TensorPlace& place, const Weights& weights,
                                     const std::string& name, size_t width, size_t length, size_t hop);

}  // namespace vqc::nn
