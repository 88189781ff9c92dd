// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "models/nn/stream_layer.h"

namespace vqc::nn {

// What layer.Push gives for the pieces one after the other, in one. Of a chain, layers work side by side on
// up to `threads` threads, each on another piece; every layer sees the pieces in their order, so that the
// rows are the same for any number of threads. `last`: no more will come after the last of the pieces.
std::vector<float> PushPieces(const StreamLayer& layer, StreamLayer::State* state,
                              std::vector<std::vector<float>> pieces, bool last, int threads);

}  // namespace vqc::nn
