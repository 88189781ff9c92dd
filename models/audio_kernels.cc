// SPDX-License-Identifier: Apache-2.0
// Sums, products and roots here are single IEEE operations in the order they are written (the file is
// compiled without contraction), so they are the same on every machine. Polynomials are those of Cephes
// (Moshier 1984).
#include "models/audio_kernels.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "models/audio_numbers.h"

namespace vqc::audio {
namespace {

constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding and taking it off rounds to whole numbers

inline float ExpOf(float x) {
  x = std::min(std::max(x, -87.0f), 88.0f);
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

inline float LogOf(float x) {
  const uint32_t bits = std::bit_cast<uint32_t>(x);
  // Mantissa in [sqrt(1/2), sqrt(2)).
  const uint32_t shifted = bits - 0x3f3504f3u;
  const auto e = static_cast<float>(static_cast<int32_t>(shifted) >> 23);
  const float m = std::bit_cast<float>((shifted & 0x007fffffu) + 0x3f3504f3u) - 1.0f;
  float p = 7.0376836292e-2f;
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  const float z = m * m;
  float y = p * m * z;
  y = y + e * -2.12194440e-4f;
  y = y - 0.5f * z;
  return (m + y) + e * 0.693359375f;
}

// The square of the sine, whose period is pi: the Taylor polynomial of degree 11 between -pi / 2 and pi / 2.
inline float SineSquared(float x) {
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

}  // namespace

void LinearPortable(const float* x, size_t rows, size_t pitch, size_t in, const float* weights,
                    const float* bias, size_t panels, float* y) {
  const size_t stride = panels * kPanel;
  for (size_t r = 0; r < rows; ++r) {
    for (size_t o = 0; o < stride; ++o) {
      const float* w = weights + o / kPanel * in * kPanel + o % kPanel;
      float sum = bias ? bias[o] : y[r * stride + o];
      for (size_t i = 0; i < in; ++i) sum = std::fma(x[r * pitch + i], w[i * kPanel], sum);
      y[r * stride + o] = sum;
    }
  }
}

LinearFunction ChooseLinear() {
#if defined(__x86_64__)
  const char* named = std::getenv("VQCODEC_ISA");
  const std::string_view isa = named ? named : "";
  __builtin_cpu_init();
  if (isa != "scalar" && isa != "avx2" && __builtin_cpu_supports("avx512f")) return &LinearAvx512;
  if (isa != "scalar" && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &LinearAvx2;
#endif
  return &LinearPortable;
}

void Exp(float* values, size_t count) {
  for (size_t i = 0; i < count; ++i) values[i] = ExpOf(values[i]);
}

void Log(float* values, size_t count) {
  for (size_t i = 0; i < count; ++i) values[i] = LogOf(values[i]);
}

void Silu(float* values, size_t count) {
  for (size_t i = 0; i < count; ++i) values[i] = values[i] / (1.0f + ExpOf(-values[i]));
}

void Snake(float* x, size_t width, const float* alpha, const float* inverse) {
  for (size_t i = 0; i < width; ++i) x[i] = x[i] + SineSquared(alpha[i] * x[i]) * inverse[i];
}

void Norm(const float* x, size_t width, const float* weight, const float* bias, float* y) {
  constexpr size_t kLanes = 16;
  float lanes[kLanes] = {}, squares[kLanes] = {};
  for (size_t i = 0; i < width; ++i) lanes[i % kLanes] += x[i];
  for (size_t half = kLanes / 2; half > 0; half /= 2) {
    for (size_t i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  }
  const float mean = lanes[0] / static_cast<float>(width);
  for (size_t i = 0; i < width; ++i) squares[i % kLanes] += (x[i] - mean) * (x[i] - mean);
  for (size_t half = kLanes / 2; half > 0; half /= 2) {
    for (size_t i = 0; i < half; ++i) squares[i] += squares[i + half];
  }
  const float scale = 1.0f / std::sqrt(squares[0] / static_cast<float>(width) + kNormEpsilon);
  for (size_t i = 0; i < width; ++i) y[i] = (x[i] - mean) * scale * weight[i] + bias[i];
}

}  // namespace vqc::audio
