// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <random>

namespace vqc {

// Where tokens of `count` crops of larger pictures are lost: [count, 1, height, width] of 0 and 1. In half of
// the crops they are lost one by one, in the others in runs of the pictures' raster order, from some tokens
// to some rows long.
torch::Tensor RandomLosses(int64_t count, int64_t height, int64_t width, std::mt19937_64& random);

}  // namespace vqc
