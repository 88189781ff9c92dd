// SPDX-License-Identifier: Apache-2.0
// A linear layer for registers of any width. Each instruction set has a file of its own, which says in a type
// `Simd` what a Vector of kLanes floats is and how to Load, Store, Broadcast and MultiplyAdd it.
#pragma once

#include <cstddef>

#include "models/audio_kernels.h"

namespace vqc::audio {

// kRows rows of x against one panel: two registers of outputs at a time stay in use for all of `in`.
template <class Simd, int kRows>
void LinearRows(const float* x, size_t pitch, size_t in, const float* panel, const float* bias, size_t stride,
                float* y) {
  using Vector = typename Simd::Vector;
  for (int at = 0; at < kPanel; at += 2 * Simd::kLanes) {
    Vector sum[kRows][2];
    for (int r = 0; r < kRows; ++r) {
      const float* from = bias ? bias + at : y + static_cast<size_t>(r) * stride + at;
      sum[r][0] = Simd::Load(from);
      sum[r][1] = Simd::Load(from + Simd::kLanes);
    }
    for (size_t i = 0; i < in; ++i) {
      const Vector a = Simd::Load(panel + i * kPanel + at),
                   b = Simd::Load(panel + i * kPanel + at + Simd::kLanes);
      for (int r = 0; r < kRows; ++r) {
        const Vector value = Simd::Broadcast(x[static_cast<size_t>(r) * pitch + i]);
        sum[r][0] = Simd::MultiplyAdd(value, a, sum[r][0]);
        sum[r][1] = Simd::MultiplyAdd(value, b, sum[r][1]);
      }
    }
    for (int r = 0; r < kRows; ++r) {
      float* out = y + static_cast<size_t>(r) * stride + at;
      Simd::Store(out, sum[r][0]);
      Simd::Store(out + Simd::kLanes, sum[r][1]);
    }
  }
}

// What LinearFunction says, kRows rows at a time and the rest singly.
template <class Simd, int kRows>
void LinearOf(const float* x, size_t rows, size_t pitch, size_t in, const float* weights, const float* bias,
              size_t panels, float* y) {
  const size_t stride = panels * kPanel;
  for (size_t p = 0; p < panels; ++p) {
    const float* panel = weights + p * in * kPanel;
    const float* begin = bias ? bias + p * kPanel : nullptr;
    float* out = y + p * kPanel;
    size_t r = 0;
    for (; r + kRows <= rows; r += kRows) {
      LinearRows<Simd, kRows>(x + r * pitch, pitch, in, panel, begin, stride, out + r * stride);
    }
    for (; r < rows; ++r) {
      LinearRows<Simd, 1>(x + r * pitch, pitch, in, panel, begin, stride, out + r * stride);
    }
  }
}

}  // namespace vqc::audio
