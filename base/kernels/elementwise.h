// SPDX-License-Identifier: Apache-2.0
// Functions of single numbers, over rows of them. Each instruction set has a file of its own, whose type
// `Simd` makes the code here its own as well; all are compiled without contraction, so that each operation is
// one of IEEE and the results are the same everywhere. Polynomials are those of Cephes (Moshier 1984).
#pragma once

#include <math.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/kernels/kernels.h"

namespace vqc::audio {

template <class Simd>
struct Elements {
  static constexpr size_t kLanes = Simd::kLanes;
  using Vector = typename Simd::Vector;
  using Bits = typename Simd::Bits;

  // 1.5 * 2^23: adding and taking it off rounds to whole numbers, which are the last bits of the sum.
  static constexpr float kRound = 12582912.0f;

  static inline Vector ExpOf(Vector x) {
    x = x < -87.0f ? Vector{} - 87.0f : x;
    x = x > 88.0f ? Vector{} + 88.0f : x;
    const Vector sum = x * 1.44269504088896341f + kRound, n = sum - kRound;
    const Vector r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
    Vector p = r * 1.9875691500e-4f + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1.0f;
    return p * std::bit_cast<Vector>((std::bit_cast<Bits>(sum) << 23) + (127u << 23));
  }
  static inline Vector EluOf(Vector x) {
    const Vector e = ExpOf(x > 0.0f ? Vector{} : x) - 1.0f;
    return x > 0.0f ? x : e;
  }

  // The error function for magnitudes below kErfEnd, but for the least: rational functions of fdlibm (Sun
  // 1993).
  static constexpr float kErfBegin = 1e-30f, kErfEnd = 1.25f;
  static inline Vector SmallErf(Vector x, Vector magnitude) {
    const Vector z = x * x, t = magnitude - 1.0f;
    Vector p = z * -2.3763017452e-05f + -5.7702702470e-03f, q = z * -3.9602282413e-06f + 1.3249473704e-04f;
    p = p * z + -2.8481749818e-02f;
    p = p * z + -3.2504209876e-01f;
    p = p * z + 1.2837916613e-01f;
    q = q * z + 5.0813062117e-03f;
    q = q * z + 6.5022252500e-02f;
    q = q * z + 3.9791721106e-01f;
    q = q * z + 1.0f;
    Vector u = t * -2.1663755178e-03f + 3.5478305072e-02f, v = t * 1.1984500103e-02f + 1.3637083583e-02f;
    u = u * t + -1.1089469492e-01f;
    u = u * t + 3.1834661961e-01f;
    u = u * t + -3.7220788002e-01f;
    u = u * t + 4.1485610604e-01f;
    u = u * t + -2.3621185683e-03f;
    v = v * t + 1.2617121637e-01f;
    v = v * t + 7.1828655899e-02f;
    v = v * t + 5.4039794207e-01f;
    v = v * t + 1.0642088205e-01f;
    v = v * t + 1.0f;
    const Vector high = u / v + 8.4506291151e-01f;
    return magnitude < 0.84375f ? x + x * (p / q) : x < 0.0f ? -high : high;
  }
  static inline Vector GeluOf(Vector x) {
    constexpr uint32_t kMagnitude = 0x7fffffffu;
    const Vector scaled = x * 1.41421356237309505f * 0.5f,
                 magnitude = std::bit_cast<Vector>(std::bit_cast<Bits>(scaled) & kMagnitude);
    Vector erf = SmallErf(scaled, magnitude);
    for (size_t l = 0; l < kLanes; ++l) {
      if (!(magnitude[l] >= kErfBegin && magnitude[l] < kErfEnd)) erf[l] = ::erff(scaled[l]);
    }
    return 0.5f * x * (1.0f + erf);
  }

  // The square of the sine, whose period is pi: the Taylor polynomial of degree 11 between -pi / 2 and pi
  // / 2.
  static inline Vector SineSquared(Vector x) {
    const Vector n = (x * 0.31830988618379067f + kRound) - kRound;
    const Vector r = ((x - n * 3.140625f) - n * 9.67502593994e-4f) - n * 1.50995799e-7f;
    const Vector z = r * r;
    Vector p = z * -2.50521084e-8f + 2.75573192e-6f;
    p = p * z - 1.98412698e-4f;
    p = p * z + 8.33333333e-3f;
    p = p * z - 1.66666667e-1f;
    const Vector s = r + r * z * p;
    return s * s;
  }

  // The first `count` of the lanes, zeros in the others.
  static inline Vector Load(const float* from, size_t count = kLanes) {
    Vector v{};
    std::memcpy(&v, from, count * sizeof(float));
    return v;
  }
  static inline void Store(Vector v, float* to, size_t count = kLanes) {
    std::memcpy(to, &v, count * sizeof(float));
  }
  template <class Function>
  static inline void Each(float* values, size_t count, Function function) {
    size_t i = 0;
    for (; i + kLanes <= count; i += kLanes) Store(function(Load(values + i)), values + i);
    if (i < count) Store(function(Load(values + i, count - i)), values + i, count - i);
  }

  static void Exp(float* values, size_t count) { Each(values, count, &ExpOf); }
  static void Elu(float* values, size_t count) { Each(values, count, &EluOf); }
  static void Silu(float* values, size_t count) {
    Each(values, count, [](Vector x) { return x / (1.0f + ExpOf(-x)); });
  }
  static void Gelu(float* values, size_t count) { Each(values, count, &GeluOf); }
  static void Snake(float* x, size_t width, const float* alpha, const float* inverse) {
    const auto one = [&](size_t i, size_t count) {
      const Vector v = Load(x + i, count);
      Store(v + SineSquared(Load(alpha + i, count) * v) * Load(inverse + i, count), x + i, count);
    };
    size_t i = 0;
    for (; i + kLanes <= width; i += kLanes) one(i, kLanes);
    if (i < width) one(i, width - i);
  }

  static constexpr ElementFunctions kAll{&Exp, &Elu, &Silu, &Gelu, &Snake};
};

}  // namespace vqc::audio
