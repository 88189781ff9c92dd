// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <random>

#include "base/clip.h"
#include "data/media/samples.h"

namespace vqc {

// An image whose samples are random values of its bit depth.
inline Clip RandomImage(int channels, int height, int width, int bit_depth = 8, uint32_t seed = 1) {
  Clip clip;
  clip.channels = channels;
  clip.height = height;
  clip.width = width;
  clip.bit_depth = bit_depth;
  std::mt19937 random(seed);
  const uint32_t max = bit_depth == 16 ? 65535 : 255;
  for (size_t i = 0; i < clip.PlaneSize() * static_cast<size_t>(channels); ++i) {
    clip.data.push_back(FromSample(random() % (max + 1), max));
  }
  return clip;
}

}  // namespace vqc
