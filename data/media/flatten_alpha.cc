// SPDX-License-Identifier: Apache-2.0
#include "data/media/flatten_alpha.h"

#include <algorithm>
#include <utility>

namespace vqc {

Clip FlattenAlpha(Clip clip, const Colour& background) {
  const bool gray = clip.channels == 2 && background[0] == background[1] && background[1] == background[2];
  const size_t plane = clip.PlaneSize(), colours = gray ? 1 : 3;
  if (clip.channels == 2 && !gray) {
    clip.data.resize(4 * plane);
    const auto planes = clip.data.begin();
    std::copy_n(planes + plane, plane, planes + 3 * plane);
    for (size_t c = 1; c < 3; ++c) std::copy_n(planes, plane, planes + c * plane);
  }
  const float* alpha = clip.data.data() + plane * colours;
  for (size_t c = 0; c < colours; ++c) {
    float* samples = clip.data.data() + plane * c;
    for (size_t i = 0; i < plane; ++i) {
      const float weight = (alpha[i] + 1.0f) * 0.5f;
      samples[i] = samples[i] * weight + background[c] * (1.0f - weight);
    }
  }
  clip.channels = static_cast<int>(colours);
  clip.data.resize(plane * colours);
  return clip;
}

}  // namespace vqc
