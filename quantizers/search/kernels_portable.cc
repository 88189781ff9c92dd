// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "quantizers/search/kernels.h"

namespace vqc {
namespace {

int32_t Start(float bias, float ratio) {
  const float value = bias * ratio;
  return value >= -0x1p30f ? static_cast<int32_t>(std::nearbyint(value)) : kNoCodeword;
}

void Score(const CodeGroup& group, const int16_t* block, float ratio, int32_t (*scores)[kGroupSize],
           int32_t* maxima) {
  for (int q = 0; q < kBlock; ++q) maxima[q] = kNoCodeword;
  for (int panel = 0; panel < group.panels; ++panel) {
    const int16_t* codes = group.codes + int64_t{panel} * group.pairs * kPanel * 2;
    int32_t start[kPanel];
    for (int i = 0; i < kPanel; ++i) start[i] = Start(group.bias[panel * kPanel + i], ratio);
    for (int q = 0; q < kBlock; ++q) {
      int32_t sums[kPanel];
      for (int i = 0; i < kPanel; ++i) sums[i] = start[i];
      for (int pair = 0; pair < group.pairs; ++pair) {
        const int32_t x0 = block[(pair * kBlock + q) * 2], x1 = block[(pair * kBlock + q) * 2 + 1];
        const int16_t* code = codes + int64_t{pair} * kPanel * 2;
        for (int i = 0; i < kPanel; ++i) sums[i] += x0 * code[2 * i] + x1 * code[2 * i + 1];
      }
      for (int i = 0; i < kPanel; ++i) {
        scores[q][panel * kPanel + i] = sums[i];
        maxima[q] = sums[i] > maxima[q] ? sums[i] : maxima[q];
      }
    }
  }
}

int Above(const int32_t* scores, int count, int32_t threshold, int32_t* positions) {
  int found = 0;
  for (int i = 0; i < count; ++i) {
    positions[found] = i;
    found += scores[i] >= threshold;
  }
  return found;
}

double Centre(const float* x, const double* centre, int64_t dim, double* out) {
  double sum = 0;
  for (int64_t d = 0; d < dim; ++d) {
    out[d] = static_cast<double>(x[d]) - centre[d];
    sum += out[d] * out[d];
  }
  return sum;
}

double Quantize(const double* x, int64_t dim, double scale, int16_t* block) {
  const double inverse = 1 / scale;
  double missed = 0;
  for (int64_t d = 0; d < dim; ++d) {
    const double code = std::nearbyint(x[d] * inverse);
    missed += (x[d] - scale * code) * (x[d] - scale * code);
    block[d / 2 * kBlock * 2 + d % 2] = static_cast<int16_t>(code);
  }
  return missed;
}

}  // namespace

const Kernels kPortableKernels = {&Score, &Above, &Centre, &Quantize};

}  // namespace vqc
