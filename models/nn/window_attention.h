// SPDX-License-Identifier: Apache-2.0
// Attention within windows: the rows of a stream in blocks of `window`, each row sees all of its own block,
// by the rotation of their distance, and nothing of the others.
#pragma once

#include <string>

#include "models/nn/stream_layer.h"

namespace vqc::nn {

// x + attention(norm(x)), in heads of 64 channels. Rows that do not fill the last window see each other
// alone. Tensors NAME.norm.{weight,bias} [width], NAME.to_qkv.weight [3 width][width], NAME.to_out.weight
// [width][width]. REQUIRES: window >= 1, width a multiple of kWindowHeadDim
inline constexpr size_t kWindowHeadDim = 64;
Result<LayerPtr> LoadWindowAttention(const Weights& weights, const std::string& name, size_t width,
                                     size_t window);

}  // namespace vqc::nn
