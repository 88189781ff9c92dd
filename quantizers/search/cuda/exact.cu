// SPDX-License-Identifier: Apache-2.0
// Rows that the filter could not decide: every codeword by the definition, in float64.
#include <algorithm>

#include "quantizers/search/cuda/kernels.cuh"

namespace vqc::cuda {
namespace {

constexpr int kThreads = 256, kRows = 8, kCodes = kThreads * 4;  // of a piece of work

__device__ void Merge(const ExactQueue& queue, int at, const Best& found, int64_t* id) {
  while (atomicCAS(queue.locks + at, 0, 1) != 0) {
  }
  __threadfence();
  volatile Best* const best = queue.best + at;
  const Best held{best->key, best->id};
  if (found < held) {
    best->key = found.key, best->id = found.id;
    *const_cast<volatile int64_t*>(id) = found.id;
  }
  __threadfence();
  atomicExch(queue.locks + at, 0);
}

__global__ void __launch_bounds__(kThreads) LookAtAll(const FilterArgs args) {
  extern __shared__ double memory[];  // [D][kRows] of queries, [kRows] of their own products
  __shared__ Best warps[kThreads / 32];
  const int count = *args.exact.count, dim = args.codes.dim;
  const Metric metric = args.codes.metric;
  const int64_t parts = (args.codes.codes + kCodes - 1) / kCodes;
  const int64_t pieces = (count + kRows - 1) / kRows * parts;
  double* const squares = memory + static_cast<size_t>(dim) * kRows;
  for (int64_t piece = blockIdx.x; piece < pieces; piece += gridDim.x) {
    const int first = static_cast<int>(piece / parts) * kRows, part = static_cast<int>(piece % parts);
    const int rows = min(kRows, count - first);
    __syncthreads();
    for (int i = static_cast<int>(threadIdx.x); i < dim * kRows; i += kThreads) {
      const int r = i % kRows;
      memory[i] =
          r < rows ? static_cast<double>(args.x.data[args.exact.rows[first + r] * args.x.stride + i / kRows])
                   : 0;
    }
    __syncthreads();
    if (metric == Metric::kCosine && threadIdx.x < kRows) {
      double sum = 0;
      for (int d = 0; d < dim; ++d) {
        const double x = memory[d * kRows + threadIdx.x];
        sum = __dadd_rn(sum, __dmul_rn(x, x));
      }
      squares[threadIdx.x] = sum;
    }
    __syncthreads();
    Best best[kRows];
    for (Best& one : best) one = kNone();
    for (int code = part * kCodes + static_cast<int>(threadIdx.x);
         code < min((part + 1) * kCodes, args.codes.codes); code += kThreads) {
      const float* const c = args.codes.source.data + code * args.codes.source.stride;
      double sums[kRows] = {}, cc = 0;
      for (int d = 0; d < dim; ++d) {
        const auto number = static_cast<double>(__ldg(c + d));
        if (metric == Metric::kCosine) cc = __dadd_rn(cc, __dmul_rn(number, number));
#pragma unroll
        for (int r = 0; r < kRows; ++r) {
          const double x = memory[d * kRows + r];
          const double t = __dsub_rn(x, number);
          sums[r] = __dadd_rn(sums[r], metric == Metric::kSquaredL2 ? __dmul_rn(t, t) : __dmul_rn(x, number));
        }
      }
#pragma unroll
      for (int r = 0; r < kRows; ++r) {
        double key = sums[r];
        if (metric == Metric::kCosine) {
          const double xx = squares[r];
          key = xx == 0 || cc == 0 ? 0. : __ddiv_rn(key, __dmul_rn(__dsqrt_rn(xx), __dsqrt_rn(cc)));
        }
        const Best other{metric == Metric::kSquaredL2 ? key : -key, code};
        if (other < best[r]) best[r] = other;
      }
    }
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
      const Best of_warp = WarpMin(best[r]);
      if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32] = of_warp;
      __syncthreads();
      if (threadIdx.x == 0 && r < rows) {
        Best least = warps[0];
        for (const Best& other : warps) {
          if (other < least) least = other;
        }
        Merge(args.exact, first + r, least, args.ids + args.exact.rows[first + r]);
      }
      __syncthreads();
    }
  }
}

}  // namespace

cudaError_t Exact(const FilterArgs& args, const Device& device, cudaStream_t stream) {
  const int bytes = (args.codes.dim + 1) * kRows * static_cast<int>(sizeof(double));
  const cudaError_t set = cudaFuncSetAttribute(LookAtAll, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
  if (set != cudaSuccess) return set;
  LookAtAll<<<device.processors * 3, kThreads, static_cast<size_t>(bytes), stream>>>(args);
  return cudaGetLastError();
}

}  // namespace vqc::cuda
