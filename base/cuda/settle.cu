// SPDX-License-Identifier: Apache-2.0
#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include "base/cuda/settle.h"

namespace vqc::nn {
namespace {

constexpr int kThreads = 256, kEach = 4;  // values of a thread

__device__ float Load(const float* at) { return *at; }
__device__ float Load(const __nv_bfloat16* at) { return __bfloat162float(*at); }
__device__ void Store(float* at, float value) { *at = value; }
__device__ void Store(__nv_bfloat16* at, float value) { *at = __float2bfloat16(value); }

__device__ float Activate(const SettlePass& pass, float x, int c) {
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

template <class T>
__device__ void Settle(const SettlePass& pass, int64_t b, int c, int64_t at) {
  T* y = static_cast<T*>(pass.y) + b * pass.y_strides[0] + c * pass.y_strides[1] + at * pass.y_strides[2];
  int64_t t = at - pass.left;
  if (t < 0 || t >= pass.rows) {
    if (pass.margin == MarginKind::kZeros) {
      Store(y, 0.0f);
      return;
    }
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
  Store(y, Activate(pass, sum, c));
}

// Neighbouring threads have neighbouring rows.
template <class T>
__global__ void SettleRows(SettlePass pass) {
  const int64_t all = pass.left + pass.rows + pass.right;
  const int64_t first = static_cast<int64_t>(blockIdx.x) * (kThreads * kEach) + threadIdx.x;
  for (int64_t row = blockIdx.y; row < pass.batch * pass.channels; row += gridDim.y) {
    const int64_t b = row / pass.channels;
    const int c = static_cast<int>(row - b * pass.channels);
#pragma unroll
    for (int i = 0; i < kEach; ++i) {
      const int64_t at = first + i * kThreads;
      if (at < all) Settle<T>(pass, b, c, at);
    }
  }
}

template <class T>
void Launch(const SettlePass& pass, cudaStream_t stream) {
  constexpr int64_t kMostBlocks = 65535;
  const int64_t all = pass.left + pass.rows + pass.right, block = kThreads * kEach;
  const int64_t rows = pass.batch * pass.channels;
  const dim3 blocks(static_cast<unsigned>((all + block - 1) / block),
                    static_cast<unsigned>(rows < kMostBlocks ? rows : kMostBlocks));
  SettleRows<T><<<blocks, kThreads, 0, stream>>>(pass);
}

const char* Run(const SettlePass& pass, void* stream) {
  if (pass.batch == 0 || pass.left + pass.rows + pass.right == 0) return nullptr;
  cudaError_t error = cudaSetDevice(pass.device);
  if (error == cudaSuccess) {
    auto* const on = static_cast<cudaStream_t>(stream);
    pass.bfloat16 ? Launch<__nv_bfloat16>(pass, on) : Launch<float>(pass, on);
    error = cudaGetLastError();
  }
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

constexpr LayersPart kPart = {&Run, &RunNorm};

}  // namespace

extern "C" __attribute__((visibility("default"))) const LayersPart* vqc_layers_part() { return &kPart; }

}  // namespace vqc::nn
