// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cub/device/device_radix_sort.cuh>

#include "quantizers/search/cuda/cluster_kernels.cuh"

namespace vqc::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kLanes = 8;  // partial sums of a distance

unsigned Blocks(int64_t threads) { return static_cast<unsigned>((threads + kThreads - 1) / kThreads); }

__global__ void Number(const int64_t* ids, int rows, uint32_t* to_ids, uint32_t* to_rows) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i >= rows) return;
  to_ids[i] = static_cast<uint32_t>(ids[i]);
  to_rows[i] = static_cast<uint32_t>(i);
}

// The first of the rising numbers that is at least `value`.
__device__ int LowerBound(const uint32_t* sorted, int count, uint32_t value) {
  int low = 0, high = count;
  while (low < high) {
    const int middle = (low + high) / 2;
    if (__ldg(sorted + middle) < value) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

// A warp a cluster, a lane a dimension.
__global__ void __launch_bounds__(kThreads)
    AddRows(const DeviceRows x, int dim, const uint32_t* __restrict__ ids, const uint32_t* __restrict__ rows,
            int64_t clusters, double* __restrict__ sums, double* __restrict__ counts) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int64_t warps = static_cast<int64_t>(gridDim.x) * blockDim.x / 32;
  for (int64_t k = (static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / 32; k < clusters;
       k += warps) {
    const int begin = LowerBound(ids, static_cast<int>(x.rows), static_cast<uint32_t>(k));
    const int end = LowerBound(ids, static_cast<int>(x.rows), static_cast<uint32_t>(k) + 1);
    if (begin == end) continue;
    for (int d = lane; d < dim; d += 32) {
      double sum = sums[k * dim + d];
#pragma unroll 8
      for (int i = begin; i < end; ++i) {
        sum = __dadd_rn(sum, static_cast<double>(__ldg(x.data + __ldg(rows + i) * x.stride + d)));
      }
      sums[k * dim + d] = sum;
    }
    if (lane == 0) counts[k] += end - begin;
  }
}

// Eight lanes a row, each with every eighth dimension; what is left over is the first one's.
__global__ void __launch_bounds__(kThreads)
    Distances(const DeviceRows x, int dim, const uint32_t* __restrict__ ids,
              const float* __restrict__ centres, double* __restrict__ distances) {
  const int64_t at = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const int64_t row = min(at / kLanes, x.rows - 1);
  const int lane = static_cast<int>(at % kLanes), whole = dim / kLanes * kLanes;
  const float* const from = x.data + row * x.stride;
  const float* const centre = centres + static_cast<int64_t>(ids[row]) * dim;
  double sum = 0;
  const auto add = [&](int d) {
    const double t = __dsub_rn(static_cast<double>(__ldg(from + d)), static_cast<double>(__ldg(centre + d)));
    sum = __dadd_rn(sum, __dmul_rn(t, t));
  };
#pragma unroll 4
  for (int d = lane; d < whole; d += kLanes) add(d);
  for (int d = whole; lane == 0 && d < dim; ++d) add(d);
  for (int step = 1; step < kLanes; step *= 2) sum = __dadd_rn(sum, __shfl_xor_sync(0xffffffffu, sum, step));
  if (lane == 0 && at / kLanes < x.rows) distances[row] = sum;
}

__global__ void Pick(const DeviceRows x, int dim, const int64_t* which, int64_t count, float* to) {
  const int64_t at = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (at < count * dim) to[at] = x.data[which[at / dim] * x.stride + at % dim];
}

cudaError_t Sort(void* workspace, size_t& bytes, const ClusterOrder& order, int rows, int64_t clusters,
                 cudaStream_t stream) {
  int bits = 1;
  while (int64_t{1} << bits < clusters) ++bits;
  return cub::DeviceRadixSort::SortPairs(workspace, bytes, order.ids, order.sorted_ids, order.rows,
                                         order.sorted_rows, rows, 0, bits, stream);
}

}  // namespace

size_t SortBytes(int rows) {
  size_t bytes = 0;
  Sort(nullptr, bytes, {}, rows, int64_t{1} << 20, nullptr);
  return bytes;
}

cudaError_t SortByCluster(const int64_t* ids, int rows, int64_t clusters, const ClusterOrder& order,
                          void* workspace, size_t workspace_bytes, cudaStream_t stream) {
  Number<<<Blocks(rows), kThreads, 0, stream>>>(ids, rows, order.ids, order.rows);
  const cudaError_t error = cudaGetLastError();
  return error != cudaSuccess ? error : Sort(workspace, workspace_bytes, order, rows, clusters, stream);
}

cudaError_t AddToClusters(const DeviceRows& x, int dim, const ClusterOrder& order, int64_t clusters,
                          double* sums, double* counts, const Device& device, cudaStream_t stream) {
  const int64_t most = int64_t{device.processors} * 64;
  AddRows<<<static_cast<unsigned>(std::min<int64_t>(Blocks(clusters * 32), most)), kThreads, 0, stream>>>(
      x, dim, order.sorted_ids, order.sorted_rows, clusters, sums, counts);
  return cudaGetLastError();
}

cudaError_t ClusterDistances(const DeviceRows& x, int dim, const uint32_t* ids, const float* centres,
                             double* distances, cudaStream_t stream) {
  Distances<<<Blocks(x.rows * kLanes), kThreads, 0, stream>>>(x, dim, ids, centres, distances);
  return cudaGetLastError();
}

cudaError_t GatherRows(const DeviceRows& x, int dim, const int64_t* which, int64_t count, float* to,
                       cudaStream_t stream) {
  Pick<<<Blocks(count * dim), kThreads, 0, stream>>>(x, dim, which, count, to);
  return cudaGetLastError();
}

}  // namespace vqc::cuda
