// SPDX-License-Identifier: Apache-2.0
// An order of codewords in which ids that share leading digits are close in space, as priors that split ids
// into digits want them.
#pragma once

#include <torch/types.h>

namespace vqc {

// Codewords [K, D] on the CPU -> a permutation of 0 ... K - 1, int64 on the CPU. Halves again and again along
// the axis of largest variance, at the median (a tree of principal axes, Sproull 1991).
torch::Tensor OrderByPrincipalAxes(const torch::Tensor& codewords);

}  // namespace vqc
