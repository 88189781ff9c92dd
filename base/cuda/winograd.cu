// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime.h>

#include "base/cuda/winograd.h"

namespace vqc::nn {
namespace {

constexpr int kThreads = 256, kSide = 4;  // of the inputs of a tile

// N neighbouring channels.
template <int N>
struct alignas(N * sizeof(float)) Pack {
  float values[N];
};
template <int N>
__device__ Pack<N> operator+(const Pack<N>& a, const Pack<N>& b) {
  Pack<N> sum;
#pragma unroll
  for (int i = 0; i < N; ++i) sum.values[i] = a.values[i] + b.values[i];
  return sum;
}
template <int N>
__device__ Pack<N> operator-(const Pack<N>& a, const Pack<N>& b) {
  Pack<N> difference;
#pragma unroll
  for (int i = 0; i < N; ++i) difference.values[i] = a.values[i] - b.values[i];
  return difference;
}

// What a thread works on: N channels of a tile.
struct Place {
  bool any;
  uint32_t tile, channel, row, column;  // the latter of the tile's first output
  int64_t picture;                      // where its first value is
};
template <int N>
__device__ Place PlaceOf(const TilePass& pass, uint32_t tiles) {
  const auto lanes = static_cast<uint32_t>(pass.channels / N),
             width = static_cast<uint32_t>((pass.width + 1) / 2),
             height = static_cast<uint32_t>((pass.height + 1) / 2);
  const uint32_t thread = blockIdx.x * kThreads + threadIdx.x;
  Place place;
  place.tile = thread / lanes;
  place.any = place.tile < tiles;
  place.channel = thread % lanes * N;
  place.column = place.tile % width * 2;
  const uint32_t above = place.tile / width;
  place.row = above % height * 2;
  place.picture = above / height * pass.height * pass.width * pass.channels;
  return place;
}

template <int N>
__global__ void Take(TilePass pass, uint32_t tiles) {
  const Place place = PlaceOf<N>(pass, tiles);
  if (!place.any) return;
  Pack<N> sum[kSide][kSide];
#pragma unroll
  for (int x = 0; x < kSide; ++x) {
    Pack<N> in[kSide];
#pragma unroll
    for (int y = 0; y < kSide; ++y) {
      const int64_t row = int64_t{place.row} + y - 1, column = int64_t{place.column} + x - 1;
      const bool inside = row >= 0 && row < pass.height && column >= 0 && column < pass.width;
      in[y] = inside ? *reinterpret_cast<const Pack<N>*>(pass.from + place.picture +
                                                         (row * pass.width + column) * pass.channels +
                                                         place.channel)
                     : Pack<N>{};
    }
    sum[0][x] = in[0] - in[2];
    sum[1][x] = in[1] + in[2];
    sum[2][x] = in[2] - in[1];
    sum[3][x] = in[1] - in[3];
  }
  float* to = pass.to + int64_t{place.tile} * pass.channels + place.channel;
  const int64_t step = tiles * pass.channels;
#pragma unroll
  for (int y = 0; y < kSide; ++y) {
    const Pack<N>(&s)[kSide] = sum[y];
    const Pack<N> out[kSide] = {s[0] - s[2], s[1] + s[2], s[2] - s[1], s[1] - s[3]};
#pragma unroll
    for (int x = 0; x < kSide; ++x) *reinterpret_cast<Pack<N>*>(to + (y * kSide + x) * step) = out[x];
  }
}

template <int N>
__global__ void Give(TilePass pass, uint32_t tiles) {
  const Place place = PlaceOf<N>(pass, tiles);
  if (!place.any) return;
  const float* from = pass.from + int64_t{place.tile} * pass.channels + place.channel;
  const int64_t step = tiles * pass.channels;
  Pack<N> sum[2][kSide];
#pragma unroll
  for (int x = 0; x < kSide; ++x) {
    Pack<N> m[kSide];
#pragma unroll
    for (int y = 0; y < kSide; ++y) m[y] = *reinterpret_cast<const Pack<N>*>(from + (y * kSide + x) * step);
    sum[0][x] = m[0] + m[1] + m[2];
    sum[1][x] = m[1] - m[2] - m[3];
  }
#pragma unroll
  for (int y = 0; y < 2; ++y) {
    const Pack<N>(&s)[kSide] = sum[y];
    const Pack<N> out[2] = {s[0] + s[1] + s[2], s[1] - s[2] - s[3]};
#pragma unroll
    for (int x = 0; x < 2; ++x) {
      const int64_t row = int64_t{place.row} + y, column = int64_t{place.column} + x;
      if (row >= pass.height || column >= pass.width) continue;
      *reinterpret_cast<Pack<N>*>(pass.to + place.picture + (row * pass.width + column) * pass.channels +
                                  place.channel) = out[x];
    }
  }
}

template <class Launch>
const char* Run(const TilePass& pass, const Launch& launch) {
  const int64_t each = pass.channels % 4 == 0 ? 4 : 1, threads = pass.Tiles() * (pass.channels / each);
  if (threads == 0) return nullptr;
  if (threads >= int64_t{1} << 31) return "a batch of pictures has 2^31 tiles or more";
  cudaError_t error = cudaSetDevice(pass.device);
  if (error == cudaSuccess) {
    launch(each == 4, static_cast<unsigned>((threads + kThreads - 1) / kThreads));
    error = cudaGetLastError();
  }
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

const char* TakeTiles(const TilePass& pass, void* stream) {
  return Run(pass, [&](bool four, unsigned blocks) {
    auto* const on = static_cast<cudaStream_t>(stream);
    const auto tiles = static_cast<uint32_t>(pass.Tiles());
    four ? Take<4><<<blocks, kThreads, 0, on>>>(pass, tiles)
         : Take<1><<<blocks, kThreads, 0, on>>>(pass, tiles);
  });
}

const char* GiveTiles(const TilePass& pass, void* stream) {
  return Run(pass, [&](bool four, unsigned blocks) {
    auto* const on = static_cast<cudaStream_t>(stream);
    const auto tiles = static_cast<uint32_t>(pass.Tiles());
    four ? Give<4><<<blocks, kThreads, 0, on>>>(pass, tiles)
         : Give<1><<<blocks, kThreads, 0, on>>>(pass, tiles);
  });
}

constexpr TilesPart kPart = {&TakeTiles, &GiveTiles};

}  // namespace

extern "C" __attribute__((visibility("default"))) const TilesPart* vqc_tiles_part() { return &kPart; }

}  // namespace vqc::nn
