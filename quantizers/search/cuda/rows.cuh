// SPDX-License-Identifier: Apache-2.0
// Eight rows of float32 read by a warp: lane l takes row l % 8, of it the groups of eight numbers
// l / 8, l / 8 + 4, ... Reads fill whole sectors, and eight lanes write 128 neighbouring bytes.
#pragma once

#include "quantizers/search/cuda/layout.cuh"

namespace vqc::cuda {

inline constexpr unsigned kAllLanes = 0xffffffffu;
inline constexpr float kMaxFloat = 3.402823466e38f;

// Numbers 8 * group ... + 7 of a row; 0 beyond its end. `vector`: the row is aligned to 16 bytes and D % 4 ==
// 0.
__device__ inline void LoadGroup(const float* row, int group, int dim, bool vector, float (&v)[8]) {
  const int begin = group * 8;
  if (vector) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const float4 four = begin + half * 4 < dim ? __ldg(reinterpret_cast<const float4*>(row + begin) + half)
                                                 : make_float4(0, 0, 0, 0);
      v[half * 4] = four.x, v[half * 4 + 1] = four.y, v[half * 4 + 2] = four.z, v[half * 4 + 3] = four.w;
    }
  } else {
#pragma unroll
    for (int i = 0; i < 8; ++i) v[i] = begin + i < dim ? __ldg(row + begin + i) : 0;
  }
}

// Takes the center away, where there is one: [PaddedDim], zero from D on.
__device__ inline void Center(const float* center, int group, float (&v)[8]) {
  if (!center) return;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const float4 four = reinterpret_cast<const float4*>(center + group * 8)[half];
    v[half * 4] -= four.x, v[half * 4 + 1] -= four.y, v[half * 4 + 2] -= four.z, v[half * 4 + 3] -= four.w;
  }
}

// Turns NaN where a number is.
__device__ inline float MaxAbs(float most, const float (&v)[8]) {
#pragma unroll
  for (const float number : v) asm("max.NaN.f32 %0, %0, %1;" : "+f"(most) : "f"(fabsf(number)));
  return most;
}

// Over the four lanes of a row; every lane gets the result.
__device__ inline float RowMax(float value) {
  value = fmaxf(value, __shfl_xor_sync(kAllLanes, value, 8));
  return fmaxf(value, __shfl_xor_sync(kAllLanes, value, 16));
}
__device__ inline float RowSum(float value) {
  value += __shfl_xor_sync(kAllLanes, value, 8);
  return value + __shfl_xor_sync(kAllLanes, value, 16);
}

// Largest |number| of the row after centering. `finite` turns false where a number of the row is not. `each`
// is shown the numbers before, in groups of eight.
template <class Each>
__device__ inline float RowMaxAbs(const float* row, const float* center, int dim, bool vector, bool in_range,
                                  bool& finite, Each each) {
  float most = 0, raw = 0;
  if (in_range) {
#pragma unroll 4
    for (int group = static_cast<int>(threadIdx.x) % 32 / 8; group * 8 < dim; group += 4) {
      float v[8];
      LoadGroup(row, group, dim, vector, v);
      raw = MaxAbs(raw, v);
      each(v);
      Center(center, group, v);
      most = MaxAbs(most, v);
    }
  }
  finite = RowMax(raw <= kMaxFloat ? 0.f : 1.f) == 0.f;
  return RowMax(most);
}
__device__ inline float RowMaxAbs(const float* row, const float* center, int dim, bool vector, bool in_range,
                                  bool& finite) {
  return RowMaxAbs(row, center, dim, vector, in_range, finite, [](const float(&)[8]) {});
}

// Scales v, rounds it to float16 and adds up squares: of the scaled numbers, and of what rounding took away.
__device__ inline uint4 ConvertGroup(const float (&v)[8], float scale, float& squares, float& lost) {
  uint4 packed;
  __half2* const pairs = reinterpret_cast<__half2*>(&packed);
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const float a = scale * v[2 * i], b = scale * v[2 * i + 1];
    pairs[i] = __floats2half2_rn(a, b);
    const float2 rounded = __half22float2(pairs[i]);
    const float lost_a = a - rounded.x, lost_b = b - rounded.y;
    squares = fmaf(a, a, fmaf(b, b, squares));
    lost = fmaf(lost_a, lost_a, fmaf(lost_b, lost_b, lost));
  }
  return packed;
}

}  // namespace vqc::cuda
