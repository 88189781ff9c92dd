// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
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
};

// function(0) ... function(count - 1) on up to `threads` threads, for work that cannot fail.
template <class Function>
void ForEach(size_t count, int threads, const Function& function) {
  (void)ParallelFor(count, threads, [&](size_t i) -> Status {
    function(i);
    return {};
  });
}

}  // namespace vqc::nn
