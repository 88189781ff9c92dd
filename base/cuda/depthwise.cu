// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime.h>

#include <climits>

#include "base/cuda/depthwise.h"
#include "base/cuda/settle.cuh"

namespace vqc::nn {
namespace {

constexpr int kThreads = 256, kEach = 4, kRows = kThreads * kEach;  // of a block

// A block settles the values that its rows of one channel see, once each, and then adds them up. Neighbouring
// threads have neighbouring rows.
template <class T, ActivationKind kActivation>
__global__ void Convolve(DepthwisePass pass, unsigned lines, int rows) {
  extern __shared__ float seen[];
  const SettlePass& settle = pass.settle;
  const int first = static_cast<int>(blockIdx.x) * kRows, count = min(kRows, rows - first),
            span = (pass.kernel - 1) * pass.dilation, thread = static_cast<int>(threadIdx.x);
  for (unsigned at_line = blockIdx.y; at_line < lines; at_line += gridDim.y) {
    const SettledLine<T, kActivation> line(settle, at_line);
    for (int begin = thread; begin < count + span; begin += kRows) {
      float sums[kEach];  // asked for at once, before they are used
      int from[kEach];
#pragma unroll
      for (int i = 0; i < kEach; ++i) {
        const int at = begin + i * kThreads;
        from[i] = at < count + span ? line.RowAt(settle, first + at) : -1;
        sums[i] = from[i] < 0 ? 0.0f : line.Sum(settle, from[i]);
      }
#pragma unroll
      for (int i = 0; i < kEach; ++i) {
        const int at = begin + i * kThreads;
        if (at < count + span) seen[at] = from[i] < 0 ? 0.0f : line.Activated(sums[i]);
      }
    }
    __syncthreads();
    const float* const taps = pass.weight + at_line % static_cast<unsigned>(settle.channels) * pass.kernel;
    float sums[kEach] = {};
    for (int k = 0; k < pass.kernel; ++k) {
      const float weight = taps[k];
#pragma unroll
      for (int i = 0; i < kEach; ++i) {
        const int at = thread + i * kThreads;
        if (at < count) sums[i] = fmaf(weight, seen[at + k * pass.dilation], sums[i]);
      }
    }
#pragma unroll
    for (int i = 0; i < kEach; ++i) {
      const int at = thread + i * kThreads;
      if (at < count) Put(line.y[(first + at) * settle.y_strides[2]], sums[i]);
    }
    __syncthreads();
  }
}

template <class T>
void Launch(const DepthwisePass& pass, int rows, cudaStream_t stream) {
  constexpr unsigned kMostBlocks = 65535;
  const auto lines = static_cast<unsigned>(pass.settle.batch * pass.settle.channels);
  const dim3 blocks(static_cast<unsigned>((rows - 1) / kRows + 1), lines < kMostBlocks ? lines : kMostBlocks);
  const size_t bytes = static_cast<size_t>(kRows + (pass.kernel - 1) * pass.dilation) * sizeof(float);
  WithActivation(pass.settle.activation, [&](auto activation) {
    Convolve<T, decltype(activation)::value><<<blocks, kThreads, bytes, stream>>>(pass, lines, rows);
  });
}

}  // namespace

const char* RunDepthwise(const DepthwisePass& pass, void* stream) {
  const SettlePass& settle = pass.settle;
  if (settle.batch == 0 || pass.Rows() <= 0) return nullptr;
  if (pass.Rows() > INT_MAX / 2 || settle.batch * settle.channels > INT_MAX)
    return "too many rows for one pass";
  cudaError_t error = cudaSetDevice(settle.device);
  if (error == cudaSuccess) {
    auto* const on = static_cast<cudaStream_t>(stream);
    const auto rows = static_cast<int>(pass.Rows());
    settle.bfloat16 ? Launch<__nv_bfloat16>(pass, rows, on) : Launch<float>(pass, rows, on);
    error = cudaGetLastError();
  }
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

}  // namespace vqc::nn
