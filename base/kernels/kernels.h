// SPDX-License-Identifier: Apache-2.0
// The inner loops of networks that run without libtorch. Each output is one chain of operations in a fixed
// order, so results depend neither on how many frames are computed at once nor on the instruction set.
#pragma once

#include <cstddef>

namespace vqc::audio {

// What training and inference share.
inline constexpr float kPowerFloor = 1e-4f;      // added to the power of a bin before the logarithm
inline constexpr float kCompression = -0.35f;    // of real and imaginary parts: power to this exponent
inline constexpr float kNormEpsilon = 1e-5f;     // of layer norms
inline constexpr float kMaxLogMagnitude = 6;     // of a decoded bin
inline constexpr float kDirectionFloor = 1e-6f;  // added to the squared length of a bin's direction
inline constexpr float kOverlap = 1.125f;        // sum of squared Hann windows at hops of a third

inline constexpr int kPanel = 32;  // outputs that a linear layer computes side by side

// y[r][o] = bias[o], then fused multiply-adds of x[r * pitch + i] * w[i][o] for rising i. `weights` holds
// panels of kPanel outputs, [panel][in][kPanel]; `bias` and the rows of y are padded to whole panels. Without
// `bias` the multiply-adds go on from what y holds.
using LinearFunction = void (*)(const float* x, size_t rows, size_t pitch, size_t in, const float* weights,
                                const float* bias, size_t panels, float* y);
void LinearPortable(const float* x, size_t rows, size_t pitch, size_t in, const float* weights,
                    const float* bias, size_t panels, float* y);
void LinearAvx2(const float* x, size_t rows, size_t pitch, size_t in, const float* weights, const float* bias,
                size_t panels, float* y);
void LinearAvx512(const float* x, size_t rows, size_t pitch, size_t in, const float* weights,
                  const float* bias, size_t panels, float* y);
// The best of them for this machine, or the one that VQCODEC_ISA=scalar|avx2 names.
LinearFunction ChooseLinear();

// The same for at most kNarrow outputs, where rows of y are no longer than these. `turned` has room for
// NarrowRoom(pitch, in) floats.
inline constexpr size_t kNarrow = 4, kNarrowRows = 64;
inline constexpr size_t NarrowRoom(size_t pitch, size_t in) {
  const size_t columns = pitch < in ? pitch : in;
  return columns * (kNarrowRows + (in - 1) / columns);
}
using NarrowFunction = void (*)(const float* x, size_t rows, size_t pitch, size_t in, const float* weights,
                                const float* bias, size_t out, float* y, float* turned);
void NarrowPortable(const float* x, size_t rows, size_t pitch, size_t in, const float* weights,
                    const float* bias, size_t out, float* y, float* turned);
void NarrowAvx2(const float* x, size_t rows, size_t pitch, size_t in, const float* weights, const float* bias,
                size_t out, float* y, float* turned);
void NarrowAvx512(const float* x, size_t rows, size_t pitch, size_t in, const float* weights,
                  const float* bias, size_t out, float* y, float* turned);
NarrowFunction ChooseNarrow();

// In place, elementwise; within a few units in the last place of the exact values.
void Exp(float* values, size_t count);
void Elu(float* values, size_t count);   // x above 0, else exp(x) - 1
void Log(float* values, size_t count);   // of positive normal numbers
void Silu(float* values, size_t count);  // x / (1 + exp(-x))
void Gelu(float* values, size_t count);  // x times the normal distribution's share below x

// Of a row x[i] + sin(alpha[i] * x[i])^2 * inverse[i], in place.
void Snake(float* x, size_t width, const float* alpha, const float* inverse);

// Those that instruction sets have of their own, with the same results.
struct ElementFunctions {
  void (*exp)(float* values, size_t count);
  void (*elu)(float* values, size_t count);
  void (*silu)(float* values, size_t count);
  void (*gelu)(float* values, size_t count);
  void (*snake)(float* x, size_t width, const float* alpha, const float* inverse);
};
extern const ElementFunctions kElementsPortable, kElementsAvx2, kElementsAvx512;

// Layer norm of a row.
void Norm(const float* x, size_t width, const float* weight, const float* bias, float* y,
          float epsilon = kNormEpsilon);

}  // namespace vqc::audio
