// SPDX-License-Identifier: Apache-2.0
// Transformers on whole sounds. Tensors and errors are those of the loaders in models/nn.
#pragma once

#include <string>

#include "models/nn/stream_transformer.h"
#include "models/nn/tensor_flow.h"

namespace vqc::nn {

Result<LayerPtr> LoadTensorTransformer(const TensorPlace& place, const Weights& weights,
                                       const std::string& name, const TransformerConfig& config);
Result<LayerPtr> LoadTensorWindowAttention(const TensorPlace& place, const Weights& weights,
                                           const std::string& name, size_t width, size_t window);

}  // namespace vqc::nn
