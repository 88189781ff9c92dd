// SPDX-License-Identifier: Apache-2.0
// A linear layer for registers of any width. Each instruction set has a file of its own, which says in a type
// `Simd` what a Vector of kLanes floats is, how to Load, Store, Broadcast and MultiplyAdd it, how to Prefetch
// what an address holds, and how many sums there are registers for.
#pragma once

#include <cstddef>

#include "base/kernels/kernels.h"

namespace vqc::audio {

// Weights that will be needed next: a share of them comes into the second-level cache with every input.
struct Ahead {
  const float* weights;
  size_t step;
};

// kRows rows of x against one panel: kVectors registers of outputs at a time stay in use for all of `in`.
template <class Simd, int kRows, int kVectors>
void LinearRows(const float* x, size_t pitch, size_t in, const float* panel, const float* bias, size_t stride,
                float* y, Ahead ahead) {
  using Vector = typename Simd::Vector;
  for (int at = 0; at < kPanel; at += kVectors * Simd::kLanes) {
    Vector sum[kRows][kVectors];
    for (int r = 0; r < kRows; ++r) {
      const float* from = bias ? bias + at : y + static_cast<size_t>(r) * stride + at;
      for (int v = 0; v < kVectors; ++v) sum[r][v] = Simd::Load(from + v * Simd::kLanes);
    }
    // Few registers hold addresses: that of every third row.
    const float* thirds[(kRows + 2) / 3];
    for (int r = 0; r < kRows; r += 3) thirds[r / 3] = x + static_cast<size_t>(r) * pitch;
    for (size_t i = 0; i < in; ++i) {
      Simd::Prefetch(ahead.weights + i * ahead.step);
      Vector weights[kVectors];
      for (int v = 0; v < kVectors; ++v) weights[v] = Simd::Load(panel + i * kPanel + at + v * Simd::kLanes);
      for (int r = 0; r < kRows; ++r) {
        const Vector value = Simd::Broadcast(thirds[r / 3][static_cast<size_t>(r % 3) * pitch + i]);
        for (int v = 0; v < kVectors; ++v) sum[r][v] = Simd::MultiplyAdd(value, weights[v], sum[r][v]);
      }
    }
    for (int r = 0; r < kRows; ++r) {
      float* out = y + static_cast<size_t>(r) * stride + at;
      for (int v = 0; v < kVectors; ++v) Simd::Store(out + v * Simd::kLanes, sum[r][v]);
    }
    ahead.weights += in * ahead.step;
  }
}

// The last rows, fewer than kRows, with as many outputs at once as there are registers for.
template <class Simd, int kRows>
void LastRows(const float* x, size_t rows, size_t pitch, size_t in, const float* panel, const float* bias,
              size_t stride, float* y, Ahead ahead) {
  constexpr int kLast = kRows - 1, kAll = kPanel / Simd::kLanes;
  if constexpr (kLast > 0) {
    if (rows == kLast)
      return LinearRows < Simd, kLast,
             kLast * kAll <= Simd::kSums ? kAll : 2 > (x, pitch, in, panel, bias, stride, y, ahead);
    LastRows<Simd, kLast>(x, rows, pitch, in, panel, bias, stride, y, ahead);
  }
}

// What LinearFunction says, so many inputs at a time that their part of a panel stays in a cache for all
// rows.
template <class Simd, int kRows>
void LinearOf(const float* x, size_t rows, size_t pitch, size_t in, const float* weights, const float* bias,
              size_t panels, float* y) {
  constexpr size_t kInputs = 512;
  const size_t stride = panels * kPanel;
  // Parts lie one behind the other; with each group of rows comes a share of the next part.
  const size_t groups = rows < kRows ? 1 : rows / kRows, wide = 2 * Simd::kLanes,
               step = (wide + groups - 1) / groups, share = kPanel / wide * step;
  for (size_t p = 0; p < panels; ++p) {
    const float* panel = weights + p * in * kPanel;
    for (size_t i = 0; i < in; i += kInputs) {
      const size_t taken = in - i < kInputs ? in - i : kInputs;
      const float *part = panel + i * kPanel, *first = bias && i == 0 ? bias + p * kPanel : nullptr;
      float* to = y + p * kPanel;
      Ahead ahead{part + taken * kPanel, step};
      size_t r = 0;
      for (; r + kRows <= rows; r += kRows, ahead.weights += taken * share)
        LinearRows<Simd, kRows, 2>(x + r * pitch + i, pitch, taken, part, first, stride, to + r * stride,
                                   ahead);
      LastRows<Simd, kRows>(x + r * pitch + i, rows - r, pitch, taken, part, first, stride, to + r * stride,
                            ahead);
    }
  }
}

// What NarrowFunction says. Lanes are rows, turned so that they lie side by side; as rows overlap, input i of
// row r is value i % columns of row r + i / columns.
template <class Simd>
void NarrowOf(const float* x, size_t rows, size_t pitch, size_t in, const float* weights, const float* bias,
              size_t out, float* y, float* turned) {
  constexpr size_t kVectors = kNarrowRows / Simd::kLanes;
  const size_t columns = pitch < in ? pitch : in, taps = (in - 1) / columns, width = kNarrowRows + taps;
  for (size_t begin = 0; begin < rows; begin += kNarrowRows) {
    const size_t count = rows - begin < kNarrowRows ? rows - begin : kNarrowRows;
    const float *first = x + begin * pitch, *end = first + (count - 1) * pitch + in;
    for (size_t j = 0; j < count + taps; ++j) {
      const float* row = first + j * pitch;
      const size_t left = static_cast<size_t>(end - row), have = left < columns ? left : columns;
      for (size_t c = 0; c < have; ++c) turned[c * width + j] = row[c];
    }
    for (size_t o = 0; o < out; ++o) {
      typename Simd::Vector sums[kVectors];
      for (auto& sum : sums) sum = Simd::Broadcast(bias[o]);
      for (size_t i = 0, tap = 0; i < in; ++tap) {
        for (size_t c = 0; c < columns && i < in; ++c, ++i) {
          const auto weight = Simd::Broadcast(weights[i * kPanel + o]);
          const float* values = turned + c * width + tap;
          for (size_t v = 0; v < kVectors; ++v)
            sums[v] = Simd::MultiplyAdd(Simd::Load(values + v * Simd::kLanes), weight, sums[v]);
        }
      }
      float lanes[kNarrowRows];
      for (size_t v = 0; v < kVectors; ++v) Simd::Store(lanes + v * Simd::kLanes, sums[v]);
      for (size_t r = 0; r < count; ++r) y[(begin + r) * out + o] = lanes[r];
    }
  }
}

}  // namespace vqc::audio
