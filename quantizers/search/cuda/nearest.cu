// SPDX-License-Identifier: Apache-2.0
// The k closest codewords: every codeword by the definition, in float64. A block has eight rows; its threads
// score a tile of codewords, then each warp keeps the list of a row.
#include <algorithm>

#include "quantizers/search/cuda/kernels.cuh"

namespace vqc::cuda {
namespace {

constexpr int kWarps = 8, kThreads = kWarps * 32, kTile = 512;
constexpr unsigned kAll = 0xffffffffu;

// Keys [rows][kTile] of the codewords from `first` on; infinity beyond the last.
__device__ void ScoreTile(const NearestArgs& args, const double* queries, const double* squares, int first,
                          double* keys) {
  const int dim = args.codes.dim;
  const Metric metric = args.codes.metric;
  for (int i = static_cast<int>(threadIdx.x); i < kTile; i += kThreads) {
    double sums[kWarps] = {}, cc = 0;
    const bool in_range = first + i < args.codes.codes;
    const float* const c =
        args.codes.source.data + static_cast<int64_t>(first + i) * args.codes.source.stride;
    for (int d = 0; in_range && d < dim; ++d) {
      const auto number = static_cast<double>(__ldg(c + d));
      if (metric == Metric::kCosine) cc = __dadd_rn(cc, __dmul_rn(number, number));
#pragma unroll
      for (int r = 0; r < kWarps; ++r) {
        const double x = queries[d * kWarps + r], t = __dsub_rn(x, number);
        sums[r] = __dadd_rn(sums[r], metric == Metric::kSquaredL2 ? __dmul_rn(t, t) : __dmul_rn(x, number));
      }
    }
#pragma unroll
    for (int r = 0; r < kWarps; ++r) {
      double value = sums[r];
      if (metric == Metric::kCosine) {
        const double xx = squares[r];
        value = xx == 0 || cc == 0 ? 0. : __ddiv_rn(value, __dmul_rn(__dsqrt_rn(xx), __dsqrt_rn(cc)));
      }
      const double key = metric == Metric::kSquaredL2 ? value : -value;
      keys[r * kTile + i] = in_range ? key : kNone().key;
    }
  }
}

// Lane l holds the l-th closest so far. Codewords come in rising order, so of equal keys the earlier stays
// ahead.
__device__ void Keep(const double* keys, int first, int neighbours, Best& held) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  double limit = __shfl_sync(kAll, held.key, neighbours - 1);
  for (int begin = 0; begin < kTile; begin += 32) {
    const double own = keys[begin + lane];
    unsigned closer = __ballot_sync(kAll, own < limit);
    while (closer) {
      const int from = __ffs(static_cast<int>(closer)) - 1;
      closer &= closer - 1;
      const double key = __shfl_sync(kAll, own, from);
      if (!(key < limit)) continue;
      const int rank = __popc(__ballot_sync(kAll, held.key <= key));
      const Best before{__shfl_up_sync(kAll, held.key, 1), __shfl_up_sync(kAll, held.id, 1)};
      if (lane == rank) {
        held = {key, first + begin + from};
      } else if (lane > rank) {
        held = before;
      }
      limit = __shfl_sync(kAll, held.key, neighbours - 1);
    }
  }
}

__global__ void __launch_bounds__(kThreads) FindNearest(const NearestArgs args) {
  extern __shared__ double memory[];  // keys [kWarps][kTile], queries [D][kWarps]
  __shared__ double squares[kWarps];
  double* const keys = memory;
  double* const queries = memory + kWarps * kTile;
  const int dim = args.codes.dim, warp = static_cast<int>(threadIdx.x) / 32,
            lane = static_cast<int>(threadIdx.x) % 32;
  if (blockIdx.x == 0 && threadIdx.x == 0 && args.codes.header->bad_row != kCudaNoRow) {
    NoteBadRow(&args.bad_rows->codeword, static_cast<int64_t>(args.codes.header->bad_row));
  }
  for (int64_t begin = static_cast<int64_t>(blockIdx.x) * kWarps; begin < args.x.rows;
       begin += static_cast<int64_t>(gridDim.x) * kWarps) {
    const int64_t row = begin + warp;
    __syncthreads();
    for (int d = lane; d < dim; d += 32) {
      const float number = row < args.x.rows ? args.x.data[row * args.x.stride + d] : 0.f;
      if (!isfinite(number)) NoteBadRow(&args.bad_rows->query, row);
      queries[d * kWarps + warp] = static_cast<double>(number);
    }
    __syncwarp();
    if (args.codes.metric == Metric::kCosine && lane == 0) {
      double sum = 0;
      for (int d = 0; d < dim; ++d) {
        const double x = queries[d * kWarps + warp];
        sum = __dadd_rn(sum, __dmul_rn(x, x));
      }
      squares[warp] = sum;
    }
    Best held = kNone();
    for (int first = 0; first < args.codes.codes; first += kTile) {
      __syncthreads();
      ScoreTile(args, queries, squares, first, keys);
      __syncthreads();
      Keep(keys + warp * kTile, first, args.neighbours, held);
    }
    if (row < args.x.rows && lane < args.neighbours) {
      const int64_t to = row * args.neighbours + lane;
      args.ids[to] = held.id < args.codes.codes ? held.id : 0;  // of rows with NaN there may be none
      if (args.values) args.values[to] = args.codes.metric == Metric::kSquaredL2 ? held.key : -held.key;
    }
  }
}

}  // namespace

cudaError_t Nearest(const NearestArgs& args, const Device& device, cudaStream_t stream) {
  const size_t bytes = static_cast<size_t>(kTile + args.codes.dim) * kWarps * sizeof(double);
  const cudaError_t set =
      cudaFuncSetAttribute(FindNearest, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes));
  if (set != cudaSuccess) return set;
  const int64_t blocks = std::min<int64_t>((args.x.rows + kWarps - 1) / kWarps, device.processors * 16);
  FindNearest<<<static_cast<unsigned>(blocks), kThreads, bytes, stream>>>(args);
  return cudaGetLastError();
}

}  // namespace vqc::cuda
