// SPDX-License-Identifier: Apache-2.0
// Sums, products and roots here are single IEEE operations in the order they are written (the file is
// compiled without contraction), so they are the same on every machine. Polynomials are those of Cephes
// (Moshier 1984).
#include "base/kernels/kernels.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/kernels/attend.h"
#include "base/kernels/elementwise.h"
#include "base/kernels/plane_tiles.h"

namespace vqc::audio {
namespace {

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

struct Plain {
  using Vector [[gnu::vector_size(16)]] = float;
  using Bits [[gnu::vector_size(16)]] = uint32_t;
  static constexpr int kLanes = 4;
};

#if defined(__x86_64__)
enum class Isa { kPortable, kAvx2, kAvx512 };

// The best of this machine, or the one that VQCODEC_ISA=scalar|avx2 names.
Isa ChosenIsa() {
  const char* named = std::getenv("VQCODEC_ISA");
  const std::string_view isa = named ? named : "";
  __builtin_cpu_init();
  if (isa == "scalar" || !__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
    return Isa::kPortable;
  return isa != "avx2" && __builtin_cpu_supports("avx512f") ? Isa::kAvx512 : Isa::kAvx2;
}
#endif

const ElementFunctions& ChooseElements() {
#if defined(__x86_64__)
  const Isa isa = ChosenIsa();
  if (isa != Isa::kPortable) return isa == Isa::kAvx512 ? kElementsAvx512 : kElementsAvx2;
#endif
  return kElementsPortable;
}

const ElementFunctions& Chosen() {
  static const ElementFunctions& chosen = ChooseElements();
  return chosen;
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

void NarrowPortable(const float* x, size_t rows, size_t pitch, size_t in, const float* weights,
                    const float* bias, size_t out, float* y, float*) {
  for (size_t r = 0; r < rows; ++r) {
    for (size_t o = 0; o < out; ++o) {
      float sum = bias[o];
      for (size_t i = 0; i < in; ++i) sum = std::fma(x[r * pitch + i], weights[i * kPanel + o], sum);
      y[r * out + o] = sum;
    }
  }
}

NarrowFunction ChooseNarrow() {
#if defined(__x86_64__)
  const Isa isa = ChosenIsa();
  if (isa != Isa::kPortable) return isa == Isa::kAvx512 ? &NarrowAvx512 : &NarrowAvx2;
#endif
  return &NarrowPortable;
}

LinearFunction ChooseLinear() {
#if defined(__x86_64__)
  const Isa isa = ChosenIsa();
  if (isa != Isa::kPortable) return isa == Isa::kAvx512 ? &LinearAvx512 : &LinearAvx2;
#endif
  return &LinearPortable;
}

AttendFunction ChooseAttend() {
#if defined(__x86_64__)
  const Isa isa = ChosenIsa();
  if (isa != Isa::kPortable) return isa == Isa::kAvx512 ? kAttendAvx512 : kAttendAvx2;
#endif
  return kAttendPortable;
}

const planes::PlaneFunctions& ChoosePlanes() {
#if defined(__x86_64__)
  const Isa isa = ChosenIsa();
  if (isa != Isa::kPortable) return isa == Isa::kAvx512 ? kPlanesAvx512 : kPlanesAvx2;
#endif
  return kPlanesPortable;
}

const ElementFunctions kElementsPortable = Elements<Plain>::kAll;
const AttendFunction kAttendPortable = &Attention<Plain>::Rows;
const planes::PlaneFunctions kPlanesPortable = planes::Planes<Plain>::kAll;

void Exp(float* values, size_t count) { Chosen().exp(values, count); }
void Elu(float* values, size_t count) { Chosen().elu(values, count); }
void Silu(float* values, size_t count) { Chosen().silu(values, count); }
void Gelu(float* values, size_t count) { Chosen().gelu(values, count); }
void Snake(float* x, size_t width, const float* alpha, const float* inverse) {
  Chosen().snake(x, width, alpha, inverse);
}

void Log(float* values, size_t count) {
  for (size_t i = 0; i < count; ++i) values[i] = LogOf(values[i]);
}

void Norm(const float* x, size_t width, const float* weight, const float* bias, float* y, float epsilon) {
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
  const float scale = 1.0f / std::sqrt(squares[0] / static_cast<float>(width) + epsilon);
  for (size_t i = 0; i < width; ++i) y[i] = (x[i] - mean) * scale * weight[i] + bias[i];
}

}  // namespace vqc::audio
