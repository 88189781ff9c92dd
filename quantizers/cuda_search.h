// SPDX-License-Identifier: Apache-2.0
// The search on GPUs (quantizers/search/cuda) for tensors.
#pragma once

#include <torch/types.h>

#include <optional>

#include "quantizers/search/metric.h"

namespace vqc {

// The number of the GPU that searches for tensors on `device`; -1 where none does.
int SearchingGpu(torch::Device device);

// As ClosestCodewords (quantizers/closest_codeword.h), for float32 tensors on one GPU: on its current stream,
// in its own memory and without copies of rows. No value where the CUDA part or the device cannot do it.
//
// Throws c10::Error that names a row with NaN or infinity: without gradients at once; with them, so that
// training need not wait for the GPU, in one of the next calls.
std::optional<torch::Tensor> ClosestCodewordsOnCuda(const torch::Tensor& points,
                                                    const torch::Tensor& codebook, int64_t k, Metric metric);

}  // namespace vqc
