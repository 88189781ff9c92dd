// SPDX-License-Identifier: Apache-2.0
// Assignments that use all codewords alike (Zheng et al., ICDE 2024, arXiv 2311.09049): optimal transport
// from tokens to codewords, with an entropy term (Cuturi, NeurIPS 2013).
#pragma once

#include <torch/types.h>

namespace vqc {

// distances [N, K] -> how much of each token goes to each codeword, [N, K]: every codeword gets N / K.
// `iterations` rescale rows, then columns, of exp(-distances / epsilon), as sums of logarithms: exp(1 /
// 0.003) is beyond float64.
torch::Tensor SinkhornPlan(const torch::Tensor& distances, double epsilon, int iterations);

// The codeword [N] that gets most of each token, for squared distances of rows [N, D] and codewords [K, D]
// scaled to
// [-1, 1]. Iterates until rows add up to 1 within 1 %, at most 1000 times. No gradients. N times K numbers
// are held: throws c10::ValueError above 2^28. N should be 4 K or more, otherwise an even share means
// nothing.
torch::Tensor UniformAssignment(const torch::Tensor& rows, const torch::Tensor& codewords, double epsilon);

}  // namespace vqc
