// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime.h>

#include "base/cuda/depthwise.h"
#include "base/cuda/settle.cuh"

namespace vqc::nn {
namespace {

constexpr int kThreads = 256, kEach = 4;  // values of a thread

template <class T>
__device__ void Settle(const SettlePass& pass, int64_t b, int c, int64_t at) {
  T* y = static_cast<T*>(pass.y) + b * pass.y_strides[0] + c * pass.y_strides[1] + at * pass.y_strides[2];
  Store(y, Settled<T>(pass, b, c, at));
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

constexpr LayersPart kPart = {&Run, &RunNorm, &RunDepthwise};

}  // namespace

extern "C" __attribute__((visibility("default"))) const LayersPart* vqc_layers_part() { return &kPart; }

}  // namespace vqc::nn
