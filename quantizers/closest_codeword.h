// SPDX-License-Identifier: Apache-2.0
// The search of quantizers/search for tensors.
#pragma once

#include <torch/types.h>

#include "quantizers/search/metric.h"

namespace vqc {

// Index [N] int64 of the row of `codebook` [K, D] closest to each row of `points` [N, D], as
// quantizers/search/metric.h defines it; ties go to the lowest index. No gradients. Contiguous float32
// tensors are not copied; what cannot be searched so (float64, a GPU without the CUDA part) is compared in
// blocks of rows, by squared L2 and inner products only. A codebook is packed once for as long as it does not
// change. Throws c10::Error on the CPU where a value is NaN or infinity, and names the row.
torch::Tensor ClosestCodeword(const torch::Tensor& points, const torch::Tensor& codebook,
                              Metric metric = Metric::kSquaredL2);

// Indices [N, k] of the k closest rows of the codebook, closest first, k from 1 to the lesser of 16 and K;
// float32 on the CPU, or on a GPU with the CUDA part. Otherwise as above; throws c10::Error for what cannot
// be searched.
torch::Tensor ClosestCodewords(const torch::Tensor& points, const torch::Tensor& codebook, int64_t k,
                               Metric metric = Metric::kSquaredL2);

}  // namespace vqc
