// SPDX-License-Identifier: Apache-2.0
// A codebook into float16 tiles: its center, then its largest number and the codewords that are there twice,
// then the tiles.
#include <cooperative_groups.h>

#include <algorithm>

#include "quantizers/search/cuda/kernels.cuh"
#include "quantizers/search/cuda/rows.cuh"

namespace vqc::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kSample = 64;  // codewords that make the center: any point near the middle does

// Of 32 dimensions, by 32 x 8 threads.
__device__ void FindCenter(const Packed& packed, int first) {
  __shared__ double sums[8][32];
  const int x = static_cast<int>(threadIdx.x) % 32, y = static_cast<int>(threadIdx.x) / 32;
  const int d = first + x, used = min(packed.codes, kSample);
  double sum = 0;
  if (d < packed.dim) {
#pragma unroll 8
    for (int i = y; i < used; i += 8) {
      const int64_t row = static_cast<int64_t>(i) * packed.codes / used;
      sum += static_cast<double>(__ldg(packed.source.data + row * packed.source.stride + d));
    }
  }
  __syncthreads();
  sums[y][x] = sum;
  __syncthreads();
  if (y == 0 && d < PaddedDim(packed.dim)) {
    for (int i = 1; i < 8; ++i) sum += sums[i][x];
    packed.center[d] = d < packed.dim ? static_cast<float>(sum / used) : 0.f;
  }
}

// Sums of squares of numbers up to here neither overflow nor vanish.
constexpr float kLeastSquared = 1e-12f, kMostSquared = 1e12f;

// What scales a row of the largest number `most` and the sum `squares` to the norm 64; 0 for rows that have
// no direction, or none that one factor of float32 brings there.
__device__ float CosineScale(const float* row, int dim, bool vector, bool usable, float most, float squares) {
  float scale = 1;
  const bool moderate = most >= kLeastSquared && most <= kMostSquared;
  if (__any_sync(kAllLanes, usable && !moderate)) {
    const float power = usable ? PowerOfTwo(-ExponentAbove(most)) : 0.f;
    float scaled = 0, unused = 0;
    for (int group = static_cast<int>(threadIdx.x) % 32 / 8; usable && group * 8 < dim; group += 4) {
      float v[8];
      LoadGroup(row, group, dim, vector, v);
      ConvertGroup(v, power, scaled, unused);
    }
    scaled = RowSum(scaled);
    if (!moderate) squares = scaled, scale = power;
  }
  return usable ? scale * (64 / sqrtf(squares)) : 0.f;
}

// Eight codewords a warp: the largest number, rows that are not finite, copies, and scales.
__device__ void LookAtRows(const Packed& packed, bool vector) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int64_t warps = static_cast<int64_t>(gridDim.x) * blockDim.x / 32;
  float most = 0;
  for (int64_t eight = (static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / 32;
       eight * 8 < packed.codes; eight += warps) {
    const int64_t row = eight * 8 + lane % 8;
    const float* const c = packed.source.data + row * packed.source.stride;
    bool finite;
    unsigned long long hash = lane / 8;
    float squares = 0;
    const float of_row =
        RowMaxAbs(c, packed.center, packed.dim, vector, row < packed.codes, finite, [&](const float(&v)[8]) {
          HashGroup(v, hash);
          if (!packed.scales) return;
          for (const float number : v) squares = fmaf(number, number, squares);
        });
    most = fmaxf(most, of_row);
    hash = JoinHashes(hash);
    if (packed.scales) {
      const bool usable = row < packed.codes && finite && of_row > 0 && Scalable(of_row);
      const float scale = CosineScale(c, packed.dim, vector, usable, of_row, RowSum(squares));
      if (lane / 8 == 0 && row < packed.codes) packed.scales[row] = scale;
      if (lane / 8 == 0 && finite && !Scalable(of_row)) packed.header->max_abs = of_row;
    }
    if (lane / 8 == 0 && row < packed.codes) {
      if (!finite) atomicMin(&packed.header->bad_row, static_cast<unsigned long long>(row));
      EnterCodeword(packed.copies, hash, packed.source.data, packed.source.stride, packed.dim,
                    static_cast<int>(row));
    }
  }
  if (packed.scales) return;
  for (int step = 4; step > 0; step /= 2) most = fmaxf(most, __shfl_xor_sync(kAllLanes, most, step));
  if (lane == 0 && most > packed.header->max_abs) AtomicMax(&packed.header->max_abs, most);
}

__device__ float EightMax(float value) {
  for (int step = 4; step > 0; step /= 2) value = fmaxf(value, __shfl_xor_sync(kAllLanes, value, step));
  return value;
}

__device__ void WriteTiles(const Packed& packed, bool vector) {
  const int lane = static_cast<int>(threadIdx.x) % 32, dim = packed.dim, groups = PaddedDim(dim) / 8;
  const int64_t warps = static_cast<int64_t>(gridDim.x) * blockDim.x / 32;
  const int64_t padded = static_cast<int64_t>(packed.tiles()) * kTileCodes;
  const bool cosine = packed.metric == Metric::kCosine;
  const int exponent = CodebookExponent(packed.metric, *packed.header, dim);
  float norm = 0, residual = 0, half_residual = 0;
  for (int64_t eight = (static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / 32; eight * 8 < padded;
       eight += warps) {
    const int64_t row = eight * 8 + lane % 8;
    const bool in_range = row < packed.codes && !IsCopy(packed.copies, row);
    const float* c = packed.source.data + row * packed.source.stride;
    float scale = PowerOfTwo(exponent);
    if (cosine) scale = in_range ? packed.scales[row] : 0.f;
    uint4* const to = packed.data + (row / kTileCodes * groups * kTileCodes + row % kTileCodes);
    float squares = 0, lost = 0;
#pragma unroll 4
    for (int group = lane / 8; group < groups; group += 4) {
      float v[8] = {};
      if (in_range) {
        LoadGroup(c, group, dim, vector, v);
        Center(packed.center, group, v);
      }
      to[group * kTileCodes] = ConvertGroup(v, scale, squares, lost);
    }
    squares = RowSum(squares);
    lost = RowSum(lost);
    __syncwarp();
    float half = packed.metric == Metric::kSquaredL2 ? squares / 2 : 0.f, rest = half;
    if (lane / 8 == 0) {
      const auto put = [&](int i, __half value) {
        reinterpret_cast<__half*>(to + i / 8 * kTileCodes)[i % 8] = value;
      };
      for (int i = 0; i < 3; ++i) {
        const __half piece = __float2half_rn(rest);
        rest -= __half2float(piece);
        put(dim + i, piece);
      }
      put(dim + 3, __float2half_rn(in_range ? 1.f : INFINITY));
    }
    const float rows_norm = sqrtf(squares) * (1 + 1.f / 4096);
    norm = fmaxf(norm, rows_norm);
    // Centering and, for the cosine, dividing by the norm are rounded: at most 1024 / 4 + 16 units of 2^-24.
    const float relative = cosine ? 1.f / (1 << 15) : 1.f / (1 << 22);
    residual = fmaxf(residual, sqrtf(lost) * (1 + 1.f / 4096) + rows_norm * relative + 1e-25f);
    half_residual = fmaxf(half_residual, fabsf(rest) + half * (1.f / (1 << 15)));
  }
  norm = EightMax(norm), residual = EightMax(residual), half_residual = EightMax(half_residual);
  if (lane == 0) {
    if (norm > packed.header->norm) AtomicMax(&packed.header->norm, norm);
    if (residual > packed.header->residual) AtomicMax(&packed.header->residual, residual);
    if (half_residual > packed.header->half_residual) AtomicMax(&packed.header->half_residual, half_residual);
  }
}

__global__ void __launch_bounds__(kThreads) PackAll(const Packed packed, bool vector) {
  const auto grid = cooperative_groups::this_grid();
  if (blockIdx.x == 0 && threadIdx.x == 0) *packed.header = {~0ull, 0.f, 0.f, 0.f, 0.f};
  if (packed.center) {
    for (int first = static_cast<int>(blockIdx.x) * 32; first < PaddedDim(packed.dim);
         first += static_cast<int>(gridDim.x) * 32) {
      FindCenter(packed, first);
    }
  }
  const unsigned threads = gridDim.x * blockDim.x;
  for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < packed.copies.size; i += threads) {
    packed.copies.slots[i] = kFreeSlot;
  }
  grid.sync();
  LookAtRows(packed, vector);
  grid.sync();
  WriteTiles(packed, vector);
}

}  // namespace

cudaError_t Pack(const Packed& packed, const Device& device, cudaStream_t stream) {
  int resident = 0;
  const cudaError_t error = cudaOccupancyMaxActiveBlocksPerMultiprocessor(&resident, PackAll, kThreads, 0);
  if (error != cudaSuccess) return error;
  bool vector = packed.source.Vector(packed.dim);
  const int eights = packed.tiles() * (kTileCodes / 8), warps = kThreads / 32;
  const int blocks =
      std::min((eights + warps - 1) / warps, device.processors * std::max(1, std::min(resident, 4)));
  Packed copy = packed;
  void* arguments[] = {&copy, &vector};
  return cudaLaunchCooperativeKernel(PackAll, blocks, kThreads, arguments, 0, stream);
}

}  // namespace vqc::cuda
