// SPDX-License-Identifier: Apache-2.0
// The k closest codewords: every codeword by the definition, in float64. A block has eight rows; its threads
// score a tile of codewords, then each warp keeps the list of a row.
#include <algorithm>

#include "quantizers/search/cuda/kernels.cuh"

namespace vqc::cuda {
namespace {

constexpr int kWarps = 8, kThreads = kWarps * 32, kOwn = 2, kTile = kThreads * kOwn;
constexpr int kChunk = 16, kStride = kChunk + 1;  // numbers of a codeword in shared memory at a time
constexpr unsigned kAll = 0xffffffffu;

// Bytes of shared memory for a tile: its numbers, and afterwards its keys.
constexpr size_t kTileBytes = std::max(kTile * kStride * sizeof(float), kTile* kWarps * sizeof(double));

// Numbers begin ... begin + kChunk - 1 of a tile's codewords; 0 where there are none.
__device__ void StageChunk(const NearestArgs& args, int first, int begin, float* staged) {
  const DeviceRows& source = args.codes.source;
#pragma unroll 8
  for (int i = static_cast<int>(threadIdx.x); i < kTile * kChunk; i += kThreads) {
    const int code = first + i / kChunk, d = begin + i % kChunk;
    const bool in_range = code < args.codes.codes && d < args.codes.dim;
    staged[i / kChunk * kStride + i % kChunk] =
        in_range ? __ldg(source.data + code * source.stride + d) : 0.f;
  }
}

// Keys [rows][kTile] of the codewords from `first` on, in `tile`; infinity beyond the last. `queries` is
// [D][rows].
template <Metric kMetric>
__device__ void ScoreTile(const NearestArgs& args, const double* queries, const double* squares, int first,
                          double* tile) {
  const int dim = args.codes.dim;
  const float* const staged = reinterpret_cast<const float*>(tile) + threadIdx.x * kStride;
  double sums[kOwn][kWarps] = {}, cc[kOwn] = {};
  for (int begin = 0; begin < dim; begin += kChunk) {
    __syncthreads();
    StageChunk(args, first, begin, reinterpret_cast<float*>(tile));
    __syncthreads();
    const int count = min(kChunk, dim - begin);
    for (int d = 0; d < count; ++d) {
#pragma unroll
      for (int own = 0; own < kOwn; ++own) {
        const auto number = static_cast<double>(staged[own * kThreads * kStride + d]);
        if (kMetric == Metric::kCosine) cc[own] = __dadd_rn(cc[own], __dmul_rn(number, number));
#pragma unroll
        for (int r = 0; r < kWarps; ++r) {
          const double x = queries[(begin + d) * kWarps + r], t = __dsub_rn(x, number);
          const double term = kMetric == Metric::kSquaredL2 ? __dmul_rn(t, t) : __dmul_rn(x, number);
          sums[own][r] = __dadd_rn(sums[own][r], term);
        }
      }
    }
  }
  __syncthreads();  // keys take the place of the numbers
#pragma unroll
  for (int own = 0; own < kOwn; ++own) {
    const int at = own * kThreads + static_cast<int>(threadIdx.x);
#pragma unroll
    for (int r = 0; r < kWarps; ++r) {
      double value = sums[own][r];
      if (kMetric == Metric::kCosine) {
        const double xx = squares[r];
        value =
            xx == 0 || cc[own] == 0 ? 0. : __ddiv_rn(value, __dmul_rn(__dsqrt_rn(xx), __dsqrt_rn(cc[own])));
      }
      const double key = kMetric == Metric::kSquaredL2 ? value : -value;
      tile[r * kTile + at] = first + at < args.codes.codes ? key : kNone().key;
    }
  }
  __syncthreads();
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

template <Metric kMetric>
__global__ void __launch_bounds__(kThreads) FindNearest(const NearestArgs args) {
  extern __shared__ double memory[];  // a tile, queries [D][kWarps]
  __shared__ double squares[kWarps];
  double* const tile = memory;
  double* const queries = memory + kTileBytes / sizeof(double);
  const int dim = args.codes.dim, warp = static_cast<int>(threadIdx.x) / 32,
            lane = static_cast<int>(threadIdx.x) % 32;
  if (blockIdx.x == 0 && threadIdx.x == 0 && args.codes.header->bad_row != kCudaNoRow) {
    NoteBadRow(&args.bad_rows->codeword, static_cast<int64_t>(args.codes.header->bad_row));
  }
  for (int64_t begin = static_cast<int64_t>(blockIdx.x) * kWarps; begin < args.x.rows;
       begin += static_cast<int64_t>(gridDim.x) * kWarps) {
    const int64_t row = begin + warp;
    for (int d = lane; d < dim; d += 32) {
      const float number = row < args.x.rows ? args.x.data[row * args.x.stride + d] : 0.f;
      if (!isfinite(number)) NoteBadRow(&args.bad_rows->query, row);
      queries[d * kWarps + warp] = static_cast<double>(number);
    }
    __syncwarp();
    if (kMetric == Metric::kCosine && lane == 0) {
      double sum = 0;
      for (int d = 0; d < dim; ++d) {
        const double x = queries[d * kWarps + warp];
        sum = __dadd_rn(sum, __dmul_rn(x, x));
      }
      squares[warp] = sum;
    }
    Best held = kNone();
    for (int first = 0; first < args.codes.codes; first += kTile) {
      ScoreTile<kMetric>(args, queries, squares, first, tile);
      Keep(tile + warp * kTile, first, args.neighbours, held);
    }
    if (row < args.x.rows && lane < args.neighbours) {
      const int64_t to = row * args.neighbours + lane;
      args.ids[to] = held.id < args.codes.codes ? held.id : 0;  // of rows with NaN there may be none
      if (args.values) args.values[to] = kMetric == Metric::kSquaredL2 ? held.key : -held.key;
    }
  }
}

template <Metric kMetric>
cudaError_t Run(const NearestArgs& args, const Device& device, cudaStream_t stream) {
  const size_t bytes = kTileBytes + static_cast<size_t>(args.codes.dim) * kWarps * sizeof(double);
  const cudaError_t set = cudaFuncSetAttribute(
      FindNearest<kMetric>, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes));
  if (set != cudaSuccess) return set;
  const int64_t blocks = std::min<int64_t>((args.x.rows + kWarps - 1) / kWarps, device.processors * 16);
  FindNearest<kMetric><<<static_cast<unsigned>(blocks), kThreads, bytes, stream>>>(args);
  return cudaGetLastError();
}

}  // namespace

cudaError_t Nearest(const NearestArgs& args, const Device& device, cudaStream_t stream) {
  switch (args.codes.metric) {
    case Metric::kSquaredL2:
      return Run<Metric::kSquaredL2>(args, device, stream);
    case Metric::kInnerProduct:
      return Run<Metric::kInnerProduct>(args, device, stream);
    case Metric::kCosine:
      return Run<Metric::kCosine>(args, device, stream);
  }
  return cudaErrorInvalidValue;
}

}  // namespace vqc::cuda
