// SPDX-License-Identifier: Apache-2.0
// How far V (layout.cuh) can be from its true value; docs/search.md derives it. Everything is rounded up.
#pragma once

#include "quantizers/search/cuda/rows.cuh"

namespace vqc::cuda {

// float32 sums of at most 1024 squares, and a few roundings more, are right within this factor.
inline constexpr float kUp = 1.0f + 1.0f / 4096;

// A tensor core adds the 16 products of a step to the accumulator with at most 20 errors (17 terms aligned to
// the largest, and the rounding of the partial results), each below one unit in the 24th bit of the largest
// magnitude that occurs.
inline constexpr float kStepError = 20.0f / (1 << 23);

// Within two units in the last place.
__device__ inline float Root(float value) {
  float root;
  asm("sqrt.approx.f32 %0, %1;" : "=f"(root) : "f"(value));
  return root;
}

struct QueryBound {
  float offset;  // a float16 number, at least |X| |C| for every codeword
  float margin;  // V of a codeword that can be the answer is at most this above the least V
};

// `squares` and `lost`: ConvertGroup's sums of the row. The query was scaled by 2^a, the codebook by 2^b.
// `multiplier`: 2^(a-b) where it is a float16 number, else 0; for kSquaredL2 only.
__device__ inline QueryBound BoundQuery(Metric metric, const CodebookHeader& codes, int dim, float squares,
                                        float lost, float multiplier, int a, int b) {
  const float norm = Root(squares) * kUp + 1e-30f;
  const float residual = Root(lost) * kUp + norm * (1.0f / (1 << 22)) + 1e-25f;
  const float rounded = norm + residual;
  const float half_square = metric == Metric::kSquaredL2 ? 0.5f * codes.norm * codes.norm * kUp : 0.f;
  QueryBound bound;
  const float offset = fmaxf(1.0f, norm * codes.norm * kUp);
  bound.offset = __half2float(__float2half_ru(offset));
  float error = residual * codes.norm + rounded * codes.residual + multiplier * codes.half_residual;
  const float ratio = PowerOfTwo(max(min(a - b, 0), -126));  // at most 1 for squared distances
  if (metric == Metric::kSquaredL2 && multiplier == 0) error += ratio * half_square;
  const float largest =
      bound.offset + multiplier * half_square * kUp + rounded * (codes.norm + codes.residual) * kUp;
  error += kStepError * static_cast<float>(PaddedDim(dim) / 16) * largest;
  // The definition's own rounding in float64: (2D + 12) 2^-53 of the value covers every metric, twice over.
  float value = norm * codes.norm;
  if (metric == Metric::kSquaredL2) {
    const float sum = norm + ratio * codes.norm;
    value = b - a > 100 ? kMaxFloat : sum * sum * PowerOfTwo(b - a);
  }
  const float slack = static_cast<float>(4 * dim + 24) * 1.1102230246251565e-16f * value;
  bound.margin = (2 * error + slack) * kUp;
  return bound;
}

}  // namespace vqc::cuda
