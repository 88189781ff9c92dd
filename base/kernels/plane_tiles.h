// SPDX-License-Identifier: Apache-2.0
// What picture networks do around the products of their 3 x 3 convolutions by tiles, which are F(2 x 2, 3 x
// 3) and F(4 x 4, 3 x 3) of Winograd (Lavin and Gray 2015, arXiv 1509.09308). Each instruction set has a file
// of its own, whose type `Simd` makes the code here its own as well; each value is one chain of operations,
// the same everywhere.
#pragma once

#include <cstddef>

#include "base/kernels/plane_rows.h"

namespace vqc::planes {

inline constexpr size_t kPanel = 32;  // outputs side by side, as base/kernels/kernels.h has them
inline constexpr size_t kKernelSide = 3, kKernelTaps = kKernelSide * kKernelSide;

// A tile of side x side inputs has outputs x outputs of them, and side * side products for each pair of
// channels. `k` counts these values.
struct TileFunctions {
  size_t outputs, side;
  // Inputs at in[y * row + x * pitch + c] as the values that weights multiply, at to[k * step + c].
  void (*take)(const float* in, size_t row, size_t pitch, size_t channels, float* to, size_t step);
  // Kernels taps[tap * kPanel + o] of a panel as these weights, at to[k * step + o].
  void (*weigh)(const float* taps, float* to, size_t step);
  // Products, of channel c at products[k * step + c], as outputs at to[y * row + x * pitch + c], which `add`
  // adds to what is there.
  void (*give)(const float* products, size_t step, const float* bias, size_t channels, bool add, float* to,
               size_t row, size_t pitch);
};
struct PlaneFunctions {
  RowFunctions rows;
  TileFunctions small, large;  // 2 x 2 and 4 x 4 outputs
  // rows[o * pitch + i] at to[i * kPanel + o], of `count` rows (at most kPanel); zeros for the others.
  void (*turn)(const float* rows, size_t pitch, size_t count, size_t width, float* to);
};
}  // namespace vqc::planes

namespace vqc::audio {

// What instruction sets have for pictures, and the best for this machine, as base/kernels/kernels.h has it
// for layers of both.
extern const planes::PlaneFunctions kPlanesPortable, kPlanesAvx2, kPlanesAvx512;
const planes::PlaneFunctions& ChoosePlanes();

}  // namespace vqc::audio

namespace vqc::planes {

// One dimension of a tile: a polynomial's values at 0, 1, -1 and infinity.
template <class Simd>
struct SmallTile {
  static constexpr size_t kOutputs = 2;
  template <class T>
  static inline void Take(const T (&d)[4], T (&v)[4]) {
    v[0] = d[0] - d[2];
    v[1] = d[1] + d[2];
    v[2] = d[2] - d[1];
    v[3] = d[1] - d[3];
  }
  template <class T>
  static inline void Weigh(const T (&g)[kKernelSide], T (&w)[4]) {
    w[0] = g[0];
    w[1] = 0.5f * (g[0] + g[2] + g[1]);
    w[2] = 0.5f * (g[0] + g[2] - g[1]);
    w[3] = g[2];
  }
  template <class T>
  static inline void Give(const T (&m)[4], T (&y)[2]) {
    y[0] = m[0] + m[1] + m[2];
    y[1] = m[1] - m[2] - m[3];
  }
};

// At 0, a, -a, b, -b and infinity. The points decide how much of the sums is lost (Barabasz et al. 2018,
// arXiv 1803.10986): with a = 5/8 and b = 3/2 errors are less than half of those with 1 and 2, and no
// constant of inputs and outputs is rounded.
template <class Simd>
struct LargeTile {
  static constexpr size_t kOutputs = 4;
  static constexpr float kA = 0.625f, kB = 1.5f, kAA = kA * kA, kBB = kB * kB;
  template <class T>
  static inline void Take(const T (&d)[6], T (&v)[6]) {
    const T even_a = d[4] - kBB * d[2], odd_a = kA * (d[3] - kBB * d[1]);
    const T even_b = d[4] - kAA * d[2], odd_b = kB * (d[3] - kAA * d[1]);
    v[0] = kAA * kBB * d[0] - (kAA + kBB) * d[2] + d[4];
    v[1] = even_a + odd_a;
    v[2] = even_a - odd_a;
    v[3] = even_b + odd_b;
    v[4] = even_b - odd_b;
    v[5] = kAA * kBB * d[1] - (kAA + kBB) * d[3] + d[5];
  }
  template <class T>
  static inline void Weigh(const T (&g)[kKernelSide], T (&w)[6]) {
    constexpr double kOfA = 1 / (2.0 * kAA * (kAA - kBB)), kOfB = 1 / (2.0 * kBB * (kBB - kAA));
    constexpr auto kZero = static_cast<float>(1.0 / (kAA * kBB));
    const T even_a = static_cast<float>(kOfA) * g[0] + static_cast<float>(kOfA * kAA) * g[2];
    const T even_b = static_cast<float>(kOfB) * g[0] + static_cast<float>(kOfB * kBB) * g[2];
    const T odd_a = static_cast<float>(kOfA * kA) * g[1], odd_b = static_cast<float>(kOfB * kB) * g[1];
    w[0] = kZero * g[0];
    w[1] = even_a + odd_a;
    w[2] = even_a - odd_a;
    w[3] = even_b + odd_b;
    w[4] = even_b - odd_b;
    w[5] = g[2];
  }
  template <class T>
  static inline void Give(const T (&m)[6], T (&y)[4]) {
    const T even_a = m[1] + m[2], odd_a = m[1] - m[2], even_b = m[3] + m[4], odd_b = m[3] - m[4];
    y[0] = m[0] + (even_a + even_b);
    y[1] = kA * odd_a + kB * odd_b;
    y[2] = kAA * even_a + kBB * even_b;
    y[3] = (kAA * kA * odd_a + kBB * kB * odd_b) + m[5];
  }
};

template <class Simd, class Tile>
struct TileLoops {
  static constexpr size_t kOutputs = Tile::kOutputs, kSide = kOutputs + 2, kLanes = Simd::kLanes;
  using Vector = typename Vectors<kLanes>::Floats;

  template <class T>
  static inline T Load(const float* from) {
    if constexpr (sizeof(T) == sizeof(float))
      return *from;
    else
      return *reinterpret_cast<const typename Vectors<kLanes>::Loose*>(from);
  }
  template <class T>
  static inline void Store(float* to, T value) {
    if constexpr (sizeof(T) == sizeof(float))
      *to = value;
    else
      *reinterpret_cast<typename Vectors<kLanes>::Loose*>(to) = value;
  }

  template <class T>
  static inline void TakeOne(const float* in, size_t row, size_t pitch, float* to, size_t step) {
    T sums[kSide][kSide];  // [x][y]
    for (size_t x = 0; x < kSide; ++x) {
      T values[kSide];
      for (size_t y = 0; y < kSide; ++y) values[y] = Load<T>(in + y * row + x * pitch);
      Tile::Take(values, sums[x]);
    }
    for (size_t y = 0; y < kSide; ++y) {
      T across[kSide], values[kSide];
      for (size_t x = 0; x < kSide; ++x) across[x] = sums[x][y];
      Tile::Take(across, values);
      for (size_t x = 0; x < kSide; ++x) Store(to + (y * kSide + x) * step, values[x]);
    }
  }

  template <class T>
  static inline void WeighOne(const float* taps, float* to, size_t step) {
    T sums[kKernelSide][kSide];  // [x][y]
    for (size_t x = 0; x < kKernelSide; ++x) {
      T values[kKernelSide];
      for (size_t y = 0; y < kKernelSide; ++y) values[y] = Load<T>(taps + (y * kKernelSide + x) * kPanel);
      Tile::Weigh(values, sums[x]);
    }
    for (size_t y = 0; y < kSide; ++y) {
      T across[kKernelSide], values[kSide];
      for (size_t x = 0; x < kKernelSide; ++x) across[x] = sums[x][y];
      Tile::Weigh(across, values);
      for (size_t x = 0; x < kSide; ++x) Store(to + (y * kSide + x) * step, values[x]);
    }
  }

  template <class T, bool kAdd>
  static inline void GiveOne(const float* products, size_t step, const float* bias, float* to, size_t row,
                             size_t pitch) {
    T sums[kSide][kOutputs];  // [x][y]
    const T offset = Load<T>(bias);
    for (size_t x = 0; x < kSide; ++x) {
      T values[kSide];
      for (size_t y = 0; y < kSide; ++y) values[y] = Load<T>(products + (y * kSide + x) * step);
      Tile::Give(values, sums[x]);
    }
    for (size_t y = 0; y < kOutputs; ++y) {
      T across[kSide], values[kOutputs];
      for (size_t x = 0; x < kSide; ++x) across[x] = sums[x][y];
      Tile::Give(across, values);
      for (size_t x = 0; x < kOutputs; ++x) {
        float* at = to + y * row + x * pitch;
        const T value = values[x] + offset;
        Store(at, kAdd ? value + Load<T>(at) : value);
      }
    }
  }

  static void Take(const float* in, size_t row, size_t pitch, size_t channels, float* to, size_t step) {
    size_t c = 0;
    for (; c + kLanes <= channels; c += kLanes) TakeOne<Vector>(in + c, row, pitch, to + c, step);
    for (; c < channels; ++c) TakeOne<float>(in + c, row, pitch, to + c, step);
  }
  static void Weigh(const float* taps, float* to, size_t step) {
    for (size_t o = 0; o < kPanel; o += kLanes) WeighOne<Vector>(taps + o, to + o, step);
  }
  template <bool kAdd>
  static void GiveAll(const float* products, size_t step, const float* bias, size_t channels, float* to,
                      size_t row, size_t pitch) {
    size_t c = 0;
    for (; c + kLanes <= channels; c += kLanes)
      GiveOne<Vector, kAdd>(products + c, step, bias + c, to + c, row, pitch);
    for (; c < channels; ++c) GiveOne<float, kAdd>(products + c, step, bias + c, to + c, row, pitch);
  }
  static void Give(const float* products, size_t step, const float* bias, size_t channels, bool add,
                   float* to, size_t row, size_t pitch) {
    (add ? &GiveAll<true> : &GiveAll<false>)(products, step, bias, channels, to, row, pitch);
  }

  static constexpr TileFunctions kAll{kOutputs, kSide, &Take, &Weigh, &Give};
};

template <class Simd>
struct Planes {
  static void Turn(const float* rows, size_t pitch, size_t count, size_t width, float* to) {
    constexpr size_t kSquare = 4;
    using Vector = Vectors<kSquare>::Loose;
    const size_t squares = count / kSquare * kSquare, whole = width / kSquare * kSquare;
    for (size_t o = 0; o < squares; o += kSquare) {
      for (size_t i = 0; i < whole; i += kSquare) {
        Vector r[kSquare];
        for (size_t j = 0; j < kSquare; ++j)
          r[j] = *reinterpret_cast<const Vector*>(rows + (o + j) * pitch + i);
        const Vector a = __builtin_shufflevector(r[0], r[1], 0, 4, 1, 5),
                     b = __builtin_shufflevector(r[2], r[3], 0, 4, 1, 5),
                     c = __builtin_shufflevector(r[0], r[1], 2, 6, 3, 7),
                     d = __builtin_shufflevector(r[2], r[3], 2, 6, 3, 7);
        const Vector turned[kSquare] = {
            __builtin_shufflevector(a, b, 0, 1, 4, 5), __builtin_shufflevector(a, b, 2, 3, 6, 7),
            __builtin_shufflevector(c, d, 0, 1, 4, 5), __builtin_shufflevector(c, d, 2, 3, 6, 7)};
        for (size_t j = 0; j < kSquare; ++j)
          *reinterpret_cast<Vector*>(to + (i + j) * kPanel + o) = turned[j];
      }
    }
    for (size_t o = 0; o < kPanel; ++o) {
      for (size_t i = o < squares ? whole : 0; i < width; ++i)
        to[i * kPanel + o] = o < count ? rows[o * pitch + i] : 0;
    }
  }

  static constexpr PlaneFunctions kAll{Rows<Simd>::kAll, TileLoops<Simd, SmallTile<Simd>>::kAll,
                                       TileLoops<Simd, LargeTile<Simd>>::kAll, &Turn};
};

}  // namespace vqc::planes
