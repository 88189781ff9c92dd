// SPDX-License-Identifier: Apache-2.0
// Values in float32 or bfloat16, which kernels compute with in float32.
#pragma once

#include <cuda_bf16.h>

namespace vqc::nn {

// N neighbouring values, read and written at once.
template <class T, int N>
struct alignas(N * sizeof(T)) Pack {
  T values[N];
};

__device__ inline float ToFloat(float value) { return value; }
__device__ inline float ToFloat(__nv_bfloat16 value) { return __bfloat162float(value); }
__device__ inline void Put(float& to, float value) { to = value; }
__device__ inline void Put(__nv_bfloat16& to, float value) { to = __float2bfloat16(value); }

}  // namespace vqc::nn
