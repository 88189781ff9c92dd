// SPDX-License-Identifier: Apache-2.0
// quantizers/search/metric.h in device code: the same operations in the same order, to the last bit.
#pragma once

#include <cstdint>

#include "quantizers/search/metric.h"

namespace vqc::cuda {

__device__ inline double Dot(const float* a, const float* b, int dim) {
  double sum = 0;
#pragma unroll 8
  for (int d = 0; d < dim; ++d) {
    sum = __dadd_rn(sum, __dmul_rn(static_cast<double>(a[d]), static_cast<double>(b[d])));
  }
  return sum;
}

__device__ inline double Value(Metric metric, const float* x, const float* c, int dim) {
  if (metric == Metric::kSquaredL2) {
    double sum = 0;
#pragma unroll 8
    for (int d = 0; d < dim; ++d) {
      const double t = __dsub_rn(static_cast<double>(x[d]), static_cast<double>(c[d]));
      sum = __dadd_rn(sum, __dmul_rn(t, t));
    }
    return sum;
  }
  const double xc = Dot(x, c, dim);
  if (metric == Metric::kInnerProduct) return xc;
  const double xx = Dot(x, x, dim), cc = Dot(c, c, dim);
  return xx == 0 || cc == 0 ? 0. : __ddiv_rn(xc, __dmul_rn(__dsqrt_rn(xx), __dsqrt_rn(cc)));
}

// A codeword and how far it is: the lesser is closer, whatever the metric.
struct Best {
  double key;
  int64_t id;
};

inline __device__ Best kNone() { return {__longlong_as_double(0x7ff0000000000000ll), INT64_MAX}; }

__device__ inline Best Score(Metric metric, const float* x, const float* c, int dim, int64_t id) {
  const double value = Value(metric, x, c, dim);
  return {metric == Metric::kSquaredL2 ? value : -value, id};
}

__device__ inline bool operator<(const Best& a, const Best& b) {
  return a.key != b.key ? a.key < b.key : a.id < b.id;
}

__device__ inline Best WarpMin(Best best) {
  for (int step = 16; step > 0; step /= 2) {
    const Best other{__shfl_xor_sync(0xffffffffu, best.key, step),
                     __shfl_xor_sync(0xffffffffu, best.id, step)};
    if (other < best) best = other;
  }
  return best;
}

}  // namespace vqc::cuda
