// SPDX-License-Identifier: Apache-2.0
// A linear layer for registers of any width. Each instruction set has a file of its own, which says in a type
// `Simd` what a Vector of kLanes floats is and how to Load, Store, Broadcast and MultiplyAdd it.
#pragma once

#include <cstddef>

#include "models/audio_kernels.h"

namespace vqc::audio {

// kRows rows of x against one panel: kVectors registers of outputs at a time stay in use for all of `in`.
template <class Simd, int kRows, int kVectors>
void LinearRows(const float* x, size_t pitch, size_t in, const float* panel, const float* bias, size_t stride,
                float* y) {
  using Vector = typename Simd::Vector;
  for (int at = 0; at < kPanel; at += kVectors * Simd::kLanes) {
    Vector sum[kRows][kVectors];
    for (int r = 0; r < kRows; ++r) {
      const float* from = bias ? bias + at : y + static_cast<size_t>(r) * stride + at;
      for (int v = 0; v < kVectors; ++v) sum[r][v] = Simd::Load(from + v * Simd::kLanes);
    }
    for (size_t i = 0; i < in; ++i) {
      Vector weights[kVectors];
      for (int v = 0; v < kVectors; ++v) weights[v] = Simd::Load(panel + i * kPanel + at + v * Simd::kLanes);
      for (int r = 0; r < kRows; ++r) {
        const Vector value = Simd::Broadcast(x[static_cast<size_t>(r) * pitch + i]);
        for (int v = 0; v < kVectors; ++v) sum[r][v] = Simd::MultiplyAdd(value, weights[v], sum[r][v]);
      }
    }
    for (int r = 0; r < kRows; ++r) {
      float* out = y + static_cast<size_t>(r) * stride + at;
      for (int v = 0; v < kVectors; ++v) Simd::Store(out + v * Simd::kLanes, sum[r][v]);
    }
  }
}

// One panel: kRows rows at a time, then half as many and the rest singly, with more outputs at once.
template <class Simd, int kRows>
void LinearPanel(const float* x, size_t rows, size_t pitch, size_t in, const float* panel, const float* bias,
                 size_t stride, float* y) {
  constexpr int kAll = kPanel / Simd::kLanes, kHalf = kRows / 2;
  size_t r = 0;
  for (; r + kRows <= rows; r += kRows)
    LinearRows<Simd, kRows, 2>(x + r * pitch, pitch, in, panel, bias, stride, y + r * stride);
  for (; r + kHalf <= rows; r += kHalf)
    LinearRows<Simd, kHalf, kAll>(x + r * pitch, pitch, in, panel, bias, stride, y + r * stride);
  for (; r < rows; ++r)
    LinearRows<Simd, 1, kAll>(x + r * pitch, pitch, in, panel, bias, stride, y + r * stride);
}

// What LinearFunction says, so many inputs at a time that their part of a panel stays in a cache for all
// rows.
template <class Simd, int kRows>
void LinearOf(const float* x, size_t rows, size_t pitch, size_t in, const float* weights, const float* bias,
              size_t panels, float* y) {
  constexpr size_t kInputs = 512;
  const size_t stride = panels * kPanel;
  for (size_t p = 0; p < panels; ++p) {
    const float* panel = weights + p * in * kPanel;
    for (size_t i = 0; i < in; i += kInputs) {
      const size_t taken = in - i < kInputs ? in - i : kInputs;
      LinearPanel<Simd, kRows>(x + i, rows, pitch, taken, panel + i * kPanel,
                               bias && i == 0 ? bias + p * kPanel : nullptr, stride, y + p * kPanel);
    }
  }
}

}  // namespace vqc::audio
