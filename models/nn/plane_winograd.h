// SPDX-License-Identifier: Apache-2.0
// 3 x 3 convolutions of pictures by tiles (base/kernels/plane_tiles.h): of large maps with 2.25 products for
// each output instead of 9, of small ones with 4. Which it is depends on the size of the map alone, and each
// output is one chain of operations in a fixed order, so results do not depend on the number of threads. No
// torch.
#pragma once

#include <cstddef>
#include <vector>

#include "models/nn/plane.h"

namespace vqc::nn {

class Winograd {
 public:
  // `weights` [out][in][3][3], `bias` [out] or empty. They are kept as they are and made ready for tiles anew
  // for each map, which costs little beside the products and keeps memory small.
  Winograd(std::vector<float> weights, std::vector<float> bias, size_t in, size_t out);
  // With zeros beside the picture, so that the size stays. `add`: to what y holds.
  void Apply(const PlaneView& x, bool add, Plane& y, int threads) const;

 private:
  struct Map;
  struct Block;
  struct Layout;
  void Weigh(const Map& map, size_t panel, size_t first, size_t count, float* room, float* to,
             size_t step) const;
  void Take(const Map& map, const Block& block, size_t first, const Layout& layout, float* room,
            float* taken) const;
  void Give(const Map& map, const Block& block, const float* products, size_t step, size_t pitch,
            size_t first, size_t count) const;
  void ApplyBlocks(const Map& map) const;
  void ApplyPanels(const Map& map) const;

  size_t in_, out_, panels_;
  std::vector<float> weights_, bias_;
};

}  // namespace vqc::nn
