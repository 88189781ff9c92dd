// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

namespace vqc {

// The rows of table [K, D] at ids [N] int64, [N, D], through which a gradient reaches the table. On a GPU its
// sums have no fixed order: sorting the ids first would take longer than everything else that a step does to
// a codebook.
torch::Tensor Lookup(const torch::Tensor& table, const torch::Tensor& ids);

}  // namespace vqc
