// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "quantizers/search/kernels.h"

namespace vqc {
namespace {

int32_t Start(float bias, float ratio) {
  const float value = bias * ratio;
  return value >= -0x1p30f ? static_cast<int32_t>(std::nearbyint(value)) : kNoCodeword;
}

// Of codeword i of a panel, from where its bias left off.
int32_t Sum(const CodeGroup& group, const int16_t* codes, const int16_t* query, int32_t sum) {
  for (int pair = 0; pair < group.pairs; ++pair, codes += 2 * kPanel, query += 2 * kBlock)
    sum += query[0] * codes[0] + query[1] * codes[1];
  return sum;
}

void Score(const CodeGroup& group, const int16_t* block, float ratio, Tops* tops, int32_t* maxima) {
  std::fill_n(maxima, kBlock, kNoCodeword);
  for (int panel = 0; panel < group.panels; ++panel) {
    int32_t start[kPanel];
    for (int i = 0; i < kPanel; ++i) start[i] = Start(group.bias[panel * kPanel + i], ratio);
    for (int q = 0; q < kBlock; ++q) {
      int32_t sums[kPanel];
      std::copy_n(start, kPanel, sums);
      for (int pair = 0; pair < group.pairs; ++pair) {
        const int32_t x0 = block[(pair * kBlock + q) * 2], x1 = block[(pair * kBlock + q) * 2 + 1];
        const int16_t* code = group.codes + (int64_t{panel} * group.pairs + pair) * kPanel * 2;
        for (int i = 0; i < kPanel; ++i) sums[i] += x0 * code[2 * i] + x1 * code[2 * i + 1];
      }
      tops[q][panel][0] = *std::max_element(sums, sums + kPanel);
      maxima[q] = std::max(maxima[q], tops[q][panel][0]);
    }
  }
}

void FindAbove(const CodeGroup& group, const int16_t* block, int q, float ratio, const Tops& tops,
               int32_t threshold, Above& found) {
  found.count = 0;
  for (int panel = 0; panel < group.panels; ++panel) {
    if (tops[panel][0] < threshold) continue;
    const int16_t* codes = group.codes + int64_t{panel} * group.pairs * kPanel * 2;
    for (int i = 0; i < kPanel; ++i) {
      const int at = panel * kPanel + i;
      const int32_t score = Sum(group, codes + 2 * i, block + 2 * q, Start(group.bias[at], ratio));
      if (score < threshold) continue;
      found.positions[found.count] = at;
      found.scores[found.count++] = score;
    }
  }
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

const Kernels kPortableKernels = {&Score, &FindAbove, &Centre, &Quantize};

}  // namespace vqc
