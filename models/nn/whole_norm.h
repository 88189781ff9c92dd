// SPDX-License-Identifier: Apache-2.0
// A norm over all rows of a sound and all their channels, which waits for the last one: of networks that see
// short segments, one at a time.
#pragma once

#include <cstddef>
#include <string>

#include "models/nn/stream_layer.h"

namespace vqc::nn {

// Group norm (Wu and He 2018, arXiv 1803.08494) of one group; afterwards the first `trim_left` and the last
// `trim_right` rows go. Weights NAME.weight [width] and NAME.bias [width]. Error kModel names the tensor.
Result<LayerPtr> LoadWholeNorm(const Weights& weights, const std::string& name, size_t width,
                               size_t trim_left = 0, size_t trim_right = 0);

}  // namespace vqc::nn
