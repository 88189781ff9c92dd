// SPDX-License-Identifier: Apache-2.0
// The sums around the products of a 3 x 3 convolution by tiles of 2 x 2 outputs: F(2 x 2, 3 x 3) of Winograd
// (Lavin and Gray 2015, arXiv 1509.09308). Each instruction set has a file of its own, whose type `Simd`
// makes the code here its own as well; each value is one chain of additions, the same everywhere.
#pragma once

#include <cstddef>
#include <cstring>

#include "models/audio_kernels.h"

namespace vqc::audio {

inline constexpr size_t kTileSide = 4, kTileValues = kTileSide * kTileSide;  // of the inputs of a tile

struct TileFunctions {
  // The inputs of a tile, rows[y][x * pitch + c], as the values that weights multiply: k of them at
  // to[k * step + c].
  void (*take)(const float* const rows[kTileSide], size_t pitch, size_t channels, float* to, size_t step);
  // The products, of channel c value k at products[k * step + c], as 2 x 2 outputs to[2 * y + x][c].
  void (*give)(const float* products, size_t step, const float* bias, size_t channels, float* const to[4]);
};
TileFunctions ChooseTiles();  // the best for this machine, as ChooseLinear
extern const TileFunctions kTilesPortable, kTilesAvx2, kTilesAvx512;

template <class Simd>
struct Tiles {
  static constexpr size_t kLanes = 8;
  using Vector [[gnu::vector_size(kLanes * sizeof(float))]] = float;

  template <class T>
  static inline void TakeOne(const float* const rows[kTileSide], size_t pitch, size_t c, float* to,
                             size_t step) {
    T sum[kTileSide][kTileSide];
    for (size_t x = 0; x < kTileSide; ++x) {
      T in[kTileSide];
      for (size_t y = 0; y < kTileSide; ++y) std::memcpy(&in[y], rows[y] + x * pitch + c, sizeof(T));
      sum[0][x] = in[0] - in[2];
      sum[1][x] = in[1] + in[2];
      sum[2][x] = in[2] - in[1];
      sum[3][x] = in[1] - in[3];
    }
    for (size_t y = 0; y < kTileSide; ++y) {
      const T* s = sum[y];
      const T out[kTileSide] = {s[0] - s[2], s[1] + s[2], s[2] - s[1], s[1] - s[3]};
      for (size_t x = 0; x < kTileSide; ++x)
        std::memcpy(to + (y * kTileSide + x) * step + c, &out[x], sizeof(T));
    }
  }

  template <class T>
  static inline void GiveOne(const float* products, size_t step, const float* bias, size_t c,
                             float* const to[4]) {
    T sum[2][kTileSide], add;
    for (size_t x = 0; x < kTileSide; ++x) {
      T m[kTileSide];
      for (size_t y = 0; y < kTileSide; ++y)
        std::memcpy(&m[y], products + (y * kTileSide + x) * step + c, sizeof(T));
      sum[0][x] = m[0] + m[1] + m[2];
      sum[1][x] = m[1] - m[2] - m[3];
    }
    std::memcpy(&add, bias + c, sizeof(T));
    for (size_t y = 0; y < 2; ++y) {
      const T* s = sum[y];
      const T out[2] = {s[0] + s[1] + s[2] + add, s[1] - s[2] - s[3] + add};
      for (size_t x = 0; x < 2; ++x) std::memcpy(to[2 * y + x] + c, &out[x], sizeof(T));
    }
  }

  static void Take(const float* const rows[kTileSide], size_t pitch, size_t channels, float* to,
                   size_t step) {
    size_t c = 0;
    for (; c + kLanes <= channels; c += kLanes) TakeOne<Vector>(rows, pitch, c, to, step);
    for (; c < channels; ++c) TakeOne<float>(rows, pitch, c, to, step);
  }
  static void Give(const float* products, size_t step, const float* bias, size_t channels,
                   float* const to[4]) {
    size_t c = 0;
    for (; c + kLanes <= channels; c += kLanes) GiveOne<Vector>(products, step, bias, c, to);
    for (; c < channels; ++c) GiveOne<float>(products, step, bias, c, to);
  }

  static constexpr TileFunctions kAll{&Take, &Give};
};

}  // namespace vqc::audio
