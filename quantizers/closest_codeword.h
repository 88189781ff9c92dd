// SPDX-License-Identifier: Apache-2.0
// The search of quantizers/search for tensors.
#pragma once

#include <torch/types.h>

#include "quantizers/search/metric.h"

namespace vqc {

// Index [N] int64 of the row of `codebook` [K, D] closest to each row of `points` [N, D], as
// quantizers/search/metric.h defines it for squared L2 and inner products; ties go to the lowest index. No
// gradients. Contiguous float32 tensors on the CPU are not copied; elsewhere memory is bounded by blocks of
// rows. Throws c10::Error on the CPU where a value is NaN or infinity, and names the row.
torch::Tensor ClosestCodeword(const torch::Tensor& points, const torch::Tensor& codebook,
                              Metric metric = Metric::kSquaredL2);

}  // namespace vqc
