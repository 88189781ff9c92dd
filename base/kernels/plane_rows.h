// SPDX-License-Identifier: Apache-2.0
// Norms of pictures, over rows of positions. Each instruction set has a file of its own, whose type `Simd`
// makes the code here its own as well; each value is one chain of operations, the same everywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace vqc::planes {

struct RowFunctions {
  // Of each channel, the sums of its values and of their squares at `count` positions.
  void (*sum)(const float* x, size_t count, size_t channels, double* sums, double* squares);
  // y[i * channels + c] = x[i * pitch + c] * scale[c] + shift[c], with `silu` that over 1 + exp(-that); x may
  // be y.
  void (*scale)(const float* x, size_t pitch, size_t count, size_t channels, const float* scale,
                const float* shift, bool silu, float* y);
};

// Vectors of so many numbers; a `Loose` one may lie anywhere in memory. (Spelt out, for the attributes get
// lost on types that depend on a parameter, and memcpy moves a vector in halves, which is several times
// slower.)
template <size_t kLanes>
struct Vectors;
template <>
struct Vectors<4> {
  using Floats [[gnu::vector_size(16)]] = float;
  using Whole [[gnu::vector_size(16)]] = int32_t;
  using Loose [[gnu::vector_size(16), gnu::aligned(4), gnu::may_alias]] = float;
};
template <>
struct Vectors<8> {
  using Floats [[gnu::vector_size(32)]] = float;
  using Whole [[gnu::vector_size(32)]] = int32_t;
  using Loose [[gnu::vector_size(32), gnu::aligned(4), gnu::may_alias]] = float;
};
template <>
struct Vectors<16> {
  using Floats [[gnu::vector_size(64)]] = float;
  using Whole [[gnu::vector_size(64)]] = int32_t;
  using Loose [[gnu::vector_size(64), gnu::aligned(4), gnu::may_alias]] = float;
};

template <class Simd>
struct Rows {
  static constexpr size_t kLanes = Simd::kLanes;
  using Vector = typename Vectors<kLanes>::Floats;
  using Whole = typename Vectors<kLanes>::Whole;
  using Loose = typename Vectors<kLanes>::Loose;

  static inline const Loose& At(const float* p) { return *reinterpret_cast<const Loose*>(p); }
  static inline Loose& At(float* p) { return *reinterpret_cast<Loose*>(p); }

  // As base/kernels/elementwise.h has it, step by step.
  static inline Vector SiluOf(Vector value) {
    constexpr float kRound = 12582912.0f;  // adding and taking it off rounds to whole numbers
    Vector x = -value;
    x = x < -87.0f ? Vector{} - 87.0f : x;
    x = x > 88.0f ? Vector{} + 88.0f : x;
    const Vector rounded = x * 1.44269504088896341f + kRound, n = rounded - kRound;
    const Vector r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
    Vector p = Vector{} + 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1.0f;
    // 2^n: the lowest bits of `rounded` are n.
    const auto two = reinterpret_cast<Vector>((reinterpret_cast<Whole>(rounded) - 0x4b400000 + 127) << 23);
    return value / (1.0f + p * two);
  }

  template <bool kSilu>
  static inline Vector ScaleOne(Vector x, Vector scale, Vector shift) {
    const Vector value = x * scale + shift;
    return kSilu ? SiluOf(value) : value;
  }

  template <bool kSilu>
  static void ScaleAll(const float* x, size_t pitch, size_t count, size_t channels, const float* scale,
                       const float* shift, float* y) {
    for (size_t i = 0; i < count; ++i, x += pitch, y += channels) {
      size_t c = 0;
      for (; c + kLanes <= channels; c += kLanes)
        At(y + c) = ScaleOne<kSilu>(At(x + c), At(scale + c), At(shift + c));
      if (c == channels) continue;
      Vector part[3] = {};  // of a vector
      const size_t size = (channels - c) * sizeof(float);
      std::memcpy(&part[0], x + c, size);
      std::memcpy(&part[1], scale + c, size);
      std::memcpy(&part[2], shift + c, size);
      const Vector value = ScaleOne<kSilu>(part[0], part[1], part[2]);
      std::memcpy(y + c, &value, size);
    }
  }
  static void Scale(const float* x, size_t pitch, size_t count, size_t channels, const float* scale,
                    const float* shift, bool silu, float* y) {
    (silu ? &ScaleAll<true> : &ScaleAll<false>)(x, pitch, count, channels, scale, shift, y);
  }

  template <size_t kWide>
  static inline void SumOne(const float* x, size_t count, size_t pitch, double* sums, double* squares) {
    double sum[kWide] = {}, square[kWide] = {};
    for (size_t i = 0; i < count; ++i) {
      for (size_t c = 0; c < kWide; ++c) {
        const double value = x[i * pitch + c];
        sum[c] += value;
        square[c] += value * value;
      }
    }
    std::memcpy(sums, sum, sizeof sum);
    std::memcpy(squares, square, sizeof square);
  }

  static void Sum(const float* x, size_t count, size_t channels, double* sums, double* squares) {
    constexpr size_t kWide = 8;
    size_t c = 0;
    for (; c + kWide <= channels; c += kWide) SumOne<kWide>(x + c, count, channels, sums + c, squares + c);
    for (; c < channels; ++c) SumOne<1>(x + c, count, channels, sums + c, squares + c);
  }

  static constexpr RowFunctions kAll{&Sum, &Scale};
};

}  // namespace vqc::planes
