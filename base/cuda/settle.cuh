// SPDX-License-Identifier: Apache-2.0
// The values that a SettlePass is about, for the kernels that read them.
#pragma once

#include <cuda_bf16.h>

#include "base/cuda/settle.h"

namespace vqc::nn {

__device__ inline float Load(const float* at) { return *at; }
__device__ inline float Load(const __nv_bfloat16* at) { return __bfloat162float(*at); }
__device__ inline void Store(float* at, float value) { *at = value; }
__device__ inline void Store(__nv_bfloat16* at, float value) { *at = __float2bfloat16(value); }

__device__ inline float Activate(const SettlePass& pass, float x, int c) {
  switch (pass.activation) {
    case ActivationKind::kElu:
      return x > 0 ? x : expm1f(x);
    case ActivationKind::kTanh:
      return tanhf(x);
    case ActivationKind::kSnake: {
      const float sine = sinf(pass.alpha[c] * x);
      return x + pass.inverse[c] * (sine * sine);
    }
    default:
      return x;
  }
}

// What stands at row `at` of y, which begins `left` rows before x.
template <class T>
__device__ float Settled(const SettlePass& pass, int64_t b, int c, int64_t at) {
  int64_t t = at - pass.left;
  if (t < 0 || t >= pass.rows) {
    if (pass.margin == MarginKind::kZeros) return 0.0f;
    if (pass.margin == MarginKind::kReplicate) t = t < 0 ? 0 : pass.rows - 1;
    if (pass.margin == MarginKind::kReflect) t = t < 0 ? -t : 2 * (pass.rows - 1) - t;
  }
  float sum = Load(static_cast<const T*>(pass.x) + b * pass.x_strides[0] + c * pass.x_strides[1] +
                   t * pass.x_strides[2]);
  if (pass.skip) {
    sum += Load(static_cast<const T*>(pass.skip) + b * pass.skip_strides[0] + c * pass.skip_strides[1] +
                t * pass.skip_strides[2]);
  }
  if (pass.bias) sum += pass.bias[c];
  return Activate(pass, sum, c);
}

}  // namespace vqc::nn
