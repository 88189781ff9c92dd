// SPDX-License-Identifier: Apache-2.0
// Functions of single numbers, over rows of them. Each instruction set has a file of its own, whose type
// `Simd` makes the code here its own as well; all are compiled without contraction, so that each operation is
// one of IEEE and the results are the same everywhere. Polynomials are those of Cephes (Moshier 1984).
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "models/audio_kernels.h"

namespace vqc::audio {

template <class Simd>
struct Elements {
  static constexpr float kRound =
      12582912.0f;  // 1.5 * 2^23: adding and taking it off rounds to whole numbers

  static inline float ExpOf(float x) {
    x = x < -87.0f ? -87.0f : x;
    x = 88.0f < x ? 88.0f : x;
    const float n = (x * 1.44269504088896341f + kRound) - kRound;
    const float r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1.0f;
    return p * std::bit_cast<float>((static_cast<int32_t>(n) + 127) << 23);
  }

  // The square of the sine, whose period is pi: the Taylor polynomial of degree 11 between -pi / 2 and pi
  // / 2.
  static inline float SineSquared(float x) {
    const float n = (x * 0.31830988618379067f + kRound) - kRound;
    const float r = ((x - n * 3.140625f) - n * 9.67502593994e-4f) - n * 1.50995799e-7f;
    const float z = r * r;
    float p = -2.50521084e-8f;
    p = p * z + 2.75573192e-6f;
    p = p * z - 1.98412698e-4f;
    p = p * z + 8.33333333e-3f;
    p = p * z - 1.66666667e-1f;
    const float s = r + r * z * p;
    return s * s;
  }

  static void Exp(float* values, size_t count) {
    for (size_t i = 0; i < count; ++i) values[i] = ExpOf(values[i]);
  }
  static void Elu(float* values, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      const float x = values[i], e = ExpOf(0.0f < x ? 0.0f : x) - 1.0f;
      values[i] = x > 0 ? x : e;
    }
  }
  static void Silu(float* values, size_t count) {
    for (size_t i = 0; i < count; ++i) values[i] = values[i] / (1.0f + ExpOf(-values[i]));
  }
  static void Snake(float* x, size_t width, const float* alpha, const float* inverse) {
    for (size_t i = 0; i < width; ++i) x[i] = x[i] + SineSquared(alpha[i] * x[i]) * inverse[i];
  }

  static constexpr ElementFunctions kAll{&Exp, &Elu, &Silu, &Snake};
};

}  // namespace vqc::audio
