// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime.h>

#include <climits>

#include "base/cuda/depthwise.h"
#include "base/cuda/settle.cuh"

namespace vqc::nn {
namespace {

constexpr int kThreads = 256, kEach = 4;  // values of a thread

// Neighbouring threads have neighbouring rows. What a thread reads is asked for at once, before it is used.
template <class T, ActivationKind kActivation>
__global__ void SettleRows(SettlePass pass, unsigned lines, int all) {
  const int first = static_cast<int>(blockIdx.x) * (kThreads * kEach) + static_cast<int>(threadIdx.x);
  for (unsigned at_line = blockIdx.y; at_line < lines; at_line += gridDim.y) {
    const SettledLine<T, kActivation> line(pass, at_line);
    float sums[kEach];
    int from[kEach];
#pragma unroll
    for (int i = 0; i < kEach; ++i) {
      const int at = first + i * kThreads;
      from[i] = at < all ? line.RowAt(pass, at) : -1;
      sums[i] = from[i] < 0 ? 0.0f : line.Sum(pass, from[i]);
    }
#pragma unroll
    for (int i = 0; i < kEach; ++i) {
      const int at = first + i * kThreads;
      if (at < all) Put(line.y[at * pass.y_strides[2]], from[i] < 0 ? 0.0f : line.Activated(sums[i]));
    }
  }
}

// Rows behind one another in memory, without margins, whose lines begin at multiples of kEach values: a
// thread has kEach neighbours.
template <class T, ActivationKind kActivation>
__global__ void SettlePacked(SettlePass pass, unsigned lines) {
  const int at = (static_cast<int>(blockIdx.x) * kThreads + static_cast<int>(threadIdx.x)) * kEach;
  if (at >= pass.rows) return;
  for (unsigned at_line = blockIdx.y; at_line < lines; at_line += gridDim.y) {
    const SettledLine<T, kActivation> line(pass, at_line);
    const auto x = *reinterpret_cast<const Pack<T, kEach>*>(line.x + at);
    Pack<T, kEach> skip = {}, y;
    if (line.skip) skip = *reinterpret_cast<const Pack<T, kEach>*>(line.skip + at);
#pragma unroll
    for (int i = 0; i < kEach; ++i) {
      const float value = ToFloat(x.values[i]);
      Put(y.values[i], line.Activated(line.skip ? value + ToFloat(skip.values[i]) : value));
    }
    *reinterpret_cast<Pack<T, kEach>*>(line.y + at) = y;
  }
}

bool MayBePacked(const SettlePass& pass) {
  const auto aligned = [&](const void* at, const int64_t(&strides)[3]) {
    const size_t bytes = kEach * (pass.bfloat16 ? sizeof(__nv_bfloat16) : sizeof(float));
    return reinterpret_cast<uintptr_t>(at) % bytes == 0 && strides[0] % kEach == 0 &&
           strides[1] % kEach == 0 && strides[2] == 1;
  };
  return pass.left == 0 && pass.right == 0 && pass.rows % kEach == 0 && aligned(pass.x, pass.x_strides) &&
         aligned(pass.y, pass.y_strides) && (!pass.skip || aligned(pass.skip, pass.skip_strides));
}

template <class T>
void Launch(const SettlePass& pass, int all, cudaStream_t stream) {
  constexpr unsigned kMostBlocks = 65535;
  constexpr int kBlock = kThreads * kEach;
  const auto lines = static_cast<unsigned>(pass.batch * pass.channels);
  const dim3 blocks(static_cast<unsigned>((all - 1) / kBlock + 1), lines < kMostBlocks ? lines : kMostBlocks);
  const bool packed = MayBePacked(pass);
  WithActivation(pass.activation, [&](auto activation) {
    constexpr ActivationKind kActivation = decltype(activation)::value;
    if (packed)
      SettlePacked<T, kActivation><<<blocks, kThreads, 0, stream>>>(pass, lines);
    else
      SettleRows<T, kActivation><<<blocks, kThreads, 0, stream>>>(pass, lines, all);
  });
}

const char* Run(const SettlePass& pass, void* stream) {
  const int64_t all = pass.left + pass.rows + pass.right;
  if (pass.batch == 0 || all == 0) return nullptr;
  if (all > INT_MAX / 2 || pass.batch * pass.channels > INT_MAX) return "too many rows for one pass";
  cudaError_t error = cudaSetDevice(pass.device);
  if (error == cudaSuccess) {
    auto* const on = static_cast<cudaStream_t>(stream);
    const auto rows = static_cast<int>(all);
    pass.bfloat16 ? Launch<__nv_bfloat16>(pass, rows, on) : Launch<float>(pass, rows, on);
    error = cudaGetLastError();
  }
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

constexpr LayersPart kPart = {&Run, &RunNorm, &RunDepthwise};

}  // namespace

extern "C" __attribute__((visibility("default"))) const LayersPart* vqc_layers_part() { return &kPart; }

}  // namespace vqc::nn
