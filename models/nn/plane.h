// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "base/parallel.h"
#include "base/populate.h"

namespace vqc::nn {

// What a layer of a picture network gives: [row][column][channel].
struct Plane {
  size_t height = 0, width = 0, channels = 0;
  std::vector<float> data;

  Plane(size_t h, size_t w, size_t c) : height(h), width(w), channels(c) {
    ReserveAtOnce(data, h * w * c);
    data.resize(h * w * c);
  }
  size_t Positions() const { return height * width; }
  const float* Row(size_t y) const { return data.data() + y * width * channels; }
  float* Row(size_t y) { return data.data() + y * width * channels; }
};

// What a norm multiplies each channel by and adds to it.
struct ChannelScale {
  std::vector<float> scale, shift;
};

// A plane as a layer behind it sees it.
struct PlaneView {
  const Plane& plane;
  const ChannelScale* norm = nullptr;  // silu(x * scale + shift) takes the place of values
  bool doubled = false;                // each position four times; not with a norm

  size_t Height() const { return doubled ? 2 * plane.height : plane.height; }
  size_t Width() const { return doubled ? 2 * plane.width : plane.width; }
  // Of rows x columns positions from (top, left) on, which may lie outside, where zeros are, `count` channels
  // from `first` on, as to[row][column][count].
  void Cut(ptrdiff_t top, ptrdiff_t left, size_t rows, size_t columns, size_t first, size_t count,
           float* to) const;
};

// Each position four times.
Plane Double(const Plane& x);
// Each position as two rows of two positions, which have a quarter of its channels each.
Plane Spread(const Plane& x);
// One level of the Haar wavelet on all channels: squares of four values become four channels, each a quarter
// of a sum or difference: all sums, then differences of rows, of columns, and of both, each of all channels.
// REQUIRES: even height and width
Plane HaarSplit(const Plane& x);
// Back. REQUIRES: a multiple of 4 channels
Plane HaarJoin(const Plane& x);

// function(0) ... function(count - 1) on up to `threads` threads, for work that cannot fail.
template <class Function>
void ForEach(size_t count, int threads, const Function& function) {
  (void)ParallelFor(count, threads, [&](size_t i) -> Status {
    function(i);
    return {};
  });
}

// The same with room for `floats` numbers, which each thread has for itself: function(i, float* room).
template <class Function>
void ForEachIn(size_t floats, size_t count, int threads, const Function& function) {
  std::atomic<size_t> next{0};
  const size_t workers = std::min(count, static_cast<size_t>(std::max(threads, 1)));
  ForEach(workers, threads, [&](size_t) {
    const auto room = std::make_unique_for_overwrite<float[]>(floats);
    for (size_t i = next++; i < count; i = next++) function(i, room.get());
  });
}

}  // namespace vqc::nn
