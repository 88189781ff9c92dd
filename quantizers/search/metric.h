// SPDX-License-Identifier: Apache-2.0
// What "closest" means, to the last bit. Every search of every device gives the answer of these definitions.
//
// x is a query and c a codeword, both float32 [D]. All arithmetic is float64 in round-to-nearest, without
// contraction to fused multiply-adds; every sum starts at 0 and runs over d = 0, 1, ..., D - 1:
//
//   kSquaredL2      sum of t_d * t_d with t_d = (double)x_d - (double)c_d; the least is closest
//   kInnerProduct   sum of (double)x_d * (double)c_d; the greatest is closest
//   kCosine         xc / (sqrt(xx) * sqrt(cc)), where xc, xx and cc are such inner products; 0 where x or c
//   is
//                   zero; the greatest is closest
//
// Of equal values the lowest index of a codeword is closest. Finite float32 input cannot overflow any of
// them.
#pragma once

#include <cstdint>

namespace vqc {

enum class Metric { kSquaredL2, kInnerProduct, kCosine };

// The value of the definition. REQUIRES: dim >= 1, finite values.
double MetricValue(Metric metric, const float* x, const float* c, int64_t dim);

// Whether value `a` at index `i` is closer than value `b` at index `j`.
inline bool IsCloser(Metric metric, double a, int64_t i, double b, int64_t j) {
  if (a != b) return metric == Metric::kSquaredL2 ? a < b : a > b;
  return i < j;
}

}  // namespace vqc
