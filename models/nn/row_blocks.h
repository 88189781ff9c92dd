// SPDX-License-Identifier: Apache-2.0
// Networks that see a whole sound, run over blocks of its rows: the plan that bounds memory and waiting.
#pragma once

#include <functional>

#include "models/nn/stream_layer.h"

namespace vqc::nn {

// The first block has `rows` + `halo` rows, of which the first `rows` are kept; each next one begins `halo`
// rows before those that are not known yet, and the last one has what is left, fewer than `rows` + `halo`
// beside those before. So a sound of fewer rows is one block, seen whole. `network` keeps the number of rows.
// REQUIRES: rows >= 1
LayerPtr MakeRowBlocks(size_t width, size_t rows, size_t halo,
                       std::function<std::vector<float>(std::vector<float>)> network);

}  // namespace vqc::nn
