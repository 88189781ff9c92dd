// SPDX-License-Identifier: Apache-2.0
// Convolutions, activations and recurrence on whole sounds. Tensors and errors are those of the loaders in
// models/nn.
#pragma once

#include <string>

#include "models/nn/stream_conv.h"
#include "models/nn/tensor_flow.h"

namespace vqc::nn {

Result<LayerPtr> LoadTensorConv(const TensorPlace& place, const Weights& weights, const std::string& name,
                                const ConvShape& shape);
Result<LayerPtr> LoadTensorTransposedConv(const TensorPlace& place, const Weights& weights,
                                          const std::string& name, const TransposedConvShape& shape);
LayerPtr MakeTensorActivation(const TensorPlace& place, Activation activation);
Result<LayerPtr> LoadTensorSnake(const TensorPlace& place, const Weights& weights, const std::string& name,
                                 size_t channels);
Result<LayerPtr> LoadTensorLstm(const TensorPlace& place, const Weights& weights, const std::string& name,
                                size_t width, size_t layers);

}  // namespace vqc::nn
