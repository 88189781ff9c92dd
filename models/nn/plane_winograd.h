// SPDX-License-Identifier: Apache-2.0
// 3 x 3 convolutions of pictures with 4 products for each output instead of 9 (models/plane_tiles.h). Each
// output is one chain of operations in a fixed order, so results do not depend on the number of threads. No
// torch.
#pragma once

#include <cstddef>
#include <vector>

#include "models/nn/plane.h"

namespace vqc::nn {

class Winograd {
 public:
  // `weights` [out][in][3][3], `bias` [out] or empty.
  Winograd(const std::vector<float>& weights, const std::vector<float>& bias, size_t in, size_t out);
  // With zeros beside the picture, so that the size stays.
  Plane Apply(const Plane& x, int threads) const;

 private:
  void ApplyTiles(const Plane& x, size_t first, size_t count, Plane& y) const;

  size_t in_, out_, panels_;
  std::vector<float> weights_, bias_;  // [16] of panels as LinearFunction takes them
};

}  // namespace vqc::nn
