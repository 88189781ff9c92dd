// SPDX-License-Identifier: Apache-2.0
// Compiled with -ffp-contract=off.
#include "quantizers/search/metric.h"

#include <cmath>

namespace vqc {
namespace {

double Dot(const float* a, const float* b, int64_t dim) {
  double sum = 0;
  for (int64_t d = 0; d < dim; ++d) sum += static_cast<double>(a[d]) * static_cast<double>(b[d]);
  return sum;
}

double SquaredL2(const float* x, const float* c, int64_t dim) {
  double sum = 0;
  for (int64_t d = 0; d < dim; ++d) {
    const double t = static_cast<double>(x[d]) - static_cast<double>(c[d]);
    sum += t * t;
  }
  return sum;
}

double Cosine(const float* x, const float* c, int64_t dim) {
  const double norms = std::sqrt(Dot(x, x, dim)) * std::sqrt(Dot(c, c, dim));
  return norms == 0 ? 0 : Dot(x, c, dim) / norms;
}

}  // namespace

double MetricValue(Metric metric, const float* x, const float* c, int64_t dim) {
  switch (metric) {
    case Metric::kSquaredL2:
      return SquaredL2(x, c, dim);
    case Metric::kInnerProduct:
      return Dot(x, c, dim);
    case Metric::kCosine:
      break;
  }
  return Cosine(x, c, dim);
}

}  // namespace vqc
