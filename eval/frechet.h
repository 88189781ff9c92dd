// SPDX-License-Identifier: Apache-2.0
// Frechet distance between two sets of feature vectors, each taken as a normal distribution (Dowson and
// Landau 1982; Heusel et al. 2017, arXiv 1706.08500):
//
//   |mean_a - mean_b|^2 + trace(C_a + C_b - 2 (C_a C_b)^(1/2))
//
// with the sample covariances C. 0 for equal sets. The fewer vectors, the larger it is by their number alone:
// compare sets of one size only.
#pragma once

#include <cstddef>
#include <span>

#include "base/result.h"

namespace vqc {

// [count][dim] each. kInput where a set has fewer than two vectors or a number is not finite; kInternal where
// the sizes are no multiples of dim.
Result<double> FrechetDistance(std::span<const float> a, std::span<const float> b, size_t dim);

}  // namespace vqc
