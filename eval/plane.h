// SPDX-License-Identifier: Apache-2.0
// One plane of an image, as the metrics see it: samples of 0 .. 255, rounded to 8 bits as a writer of files
// rounds them. Alpha does not count.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "base/clip.h"
#include "base/result.h"

namespace vqc {

struct Plane {
  int height = 0, width = 0;
  std::vector<float> data;  // [height][width]

  std::span<const float> Row(int y) const {
    return {data.data() + static_cast<size_t>(y) * static_cast<size_t>(width), static_cast<size_t>(width)};
  }
};

// Error kInternal, naming `metric`, where the sizes differ, one is gray and the other is not, or samples are
// missing.
Status CheckPair(std::string_view metric, const Clip& reference, const Clip& decoded);

// Red, green and blue, or the one plane of a gray image.
std::vector<Plane> ColourPlanes(const Clip& clip);

// 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601, full range), not rounded; a gray image is its own luma.
Plane LumaPlane(const Clip& clip);

// Means of 2 x 2 samples. An odd last row or column is left out.
Plane HalfOf(const Plane& plane);

}  // namespace vqc
