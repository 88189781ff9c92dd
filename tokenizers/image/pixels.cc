// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/image/pixels.h"

#include <algorithm>
#include <cstddef>

namespace vqc {

void CopyPixels(const Clip& clip, const PixelArea& area, const PixelSteps& steps, float* out) {
  const int inside = std::min(area.width, clip.width - area.left);
  for (int y = 0; y < area.height; ++y) {
    const size_t row =
        static_cast<size_t>(std::min(area.top + y, clip.height - 1)) * static_cast<size_t>(clip.width) +
        static_cast<size_t>(area.left);
    for (int c = 0; c < 3; ++c) {
      const float* from =
          clip.data.data() + static_cast<size_t>(clip.channels == 1 ? 0 : c) * clip.PlaneSize() + row;
      float* to = out + y * steps.row + c * steps.colour;
      if (steps.column == 1) {
        std::copy_n(from, inside, to);
      } else {
        for (int x = 0; x < inside; ++x) to[x * steps.column] = from[x];
      }
      for (int x = inside; x < area.width; ++x) to[x * steps.column] = from[inside - 1];
    }
  }
}

void PutPixels(const float* pixels, const PixelSteps& steps, const PixelArea& area, Clip& clip) {
  const auto clamp = [](float value) { return std::clamp(value, -1.0f, 1.0f); };
  const int bottom = std::min(area.top + area.height, clip.height),
            right = std::min(area.left + area.width, clip.width);
  for (int y = area.top; y < bottom; ++y) {
    const float* row = pixels + (y - area.top) * steps.row;
    float* to = clip.data.data() + static_cast<size_t>(y) * static_cast<size_t>(clip.width) + area.left;
    const int count = right - area.left;
    for (int c = 0; c < clip.channels; ++c, to += clip.PlaneSize()) {
      const float* from = row + c * steps.colour;
      if (clip.channels == 1) {
        for (int x = 0; x < count; ++x) {
          const float* rgb = row + x * steps.column;
          to[x] = clamp((rgb[0] + rgb[steps.colour] + rgb[2 * steps.colour]) / 3);
        }
      } else if (steps.column == 1) {
        std::transform(from, from + count, to, clamp);
      } else {
        for (int x = 0; x < count; ++x) to[x] = clamp(from[x * steps.column]);
      }
    }
  }
}

Clip ProbePicture(int side) {
  Clip probe;
  probe.channels = 3;
  probe.height = probe.width = side;
  uint32_t state = 1;
  for (size_t i = 0; i < 3 * probe.PlaneSize(); ++i) {
    state = state * 1664525u + 1013904223u;
    probe.data.push_back(static_cast<float>(state >> 16) / 32767.5f - 1.0f);
  }
  return probe;
}

}  // namespace vqc
