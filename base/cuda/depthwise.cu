// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime.h>

#include "base/cuda/depthwise.h"
#include "base/cuda/settle.cuh"

namespace vqc::nn {
namespace {

constexpr int kThreads = 256, kEach = 4, kRows = kThreads * kEach;  // of a block

// A block settles the values that its rows of one channel see, once each, and then adds them up. Neighbouring
// threads have neighbouring rows.
template <class T>
__global__ void Convolve(DepthwisePass pass, int64_t rows) {
  extern __shared__ float seen[];
  const int64_t first = static_cast<int64_t>(blockIdx.x) * kRows,
                lines = pass.settle.batch * pass.settle.channels;
  const int count = static_cast<int>(min(static_cast<int64_t>(kRows), rows - first)),
            span = (pass.kernel - 1) * pass.dilation;
  for (int64_t line = blockIdx.y; line < lines; line += gridDim.y) {
    const int64_t b = line / pass.settle.channels;
    const int c = static_cast<int>(line - b * pass.settle.channels);
    for (int i = threadIdx.x; i < count + span; i += kThreads)
      seen[i] = Settled<T>(pass.settle, b, c, first + i);
    __syncthreads();
    float sums[kEach] = {};
    for (int k = 0; k < pass.kernel; ++k) {
      const float weight = pass.weight[static_cast<int64_t>(c) * pass.kernel + k];
#pragma unroll
      for (int i = 0; i < kEach; ++i) {
        const int at = threadIdx.x + i * kThreads;
        if (at < count) sums[i] = fmaf(weight, seen[at + k * pass.dilation], sums[i]);
      }
    }
    T* y = static_cast<T*>(pass.settle.y) + b * pass.settle.y_strides[0] + c * pass.settle.y_strides[1];
#pragma unroll
    for (int i = 0; i < kEach; ++i) {
      const int at = threadIdx.x + i * kThreads;
      if (at < count) Store(y + (first + at) * pass.settle.y_strides[2], sums[i]);
    }
    __syncthreads();
  }
}

template <class T>
void Launch(const DepthwisePass& pass, cudaStream_t stream) {
  constexpr int64_t kMostBlocks = 65535;
  const int64_t lines = pass.settle.batch * pass.settle.channels;
  const dim3 blocks(static_cast<unsigned>((pass.Rows() + kRows - 1) / kRows),
                    static_cast<unsigned>(lines < kMostBlocks ? lines : kMostBlocks));
  const size_t bytes = static_cast<size_t>(kRows + (pass.kernel - 1) * pass.dilation) * sizeof(float);
  Convolve<T><<<blocks, kThreads, bytes, stream>>>(pass, pass.Rows());
}

}  // namespace

const char* RunDepthwise(const DepthwisePass& pass, void* stream) {
  if (pass.settle.batch == 0 || pass.Rows() <= 0) return nullptr;
  cudaError_t error = cudaSetDevice(pass.settle.device);
  if (error == cudaSuccess) {
    auto* const on = static_cast<cudaStream_t>(stream);
    pass.settle.bfloat16 ? Launch<__nv_bfloat16>(pass, on) : Launch<float>(pass, on);
    error = cudaGetLastError();
  }
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

}  // namespace vqc::nn
