// SPDX-License-Identifier: Apache-2.0
// Clip: a piece of media as it travels between folders.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace vqc {

// Written to files: values are frozen.
enum class Modality : uint8_t { kImage = 1, kAudio = 2, kAction = 3 };

// float32 samples, order [frame][channel][row][col]. Images and audio lie in [-1, 1].
// Images: one frame; channels 1 gray, 2 gray + alpha, 3 RGB, 4 RGB + alpha (alpha not premultiplied).
// Audio: frames are samples, height and width are 1.
// Actions: frames are steps, channels dimensions of their source, in its own units; height and width are 1.
struct Clip {
  Modality modality = Modality::kImage;
  int frames = 1, channels = 1, height = 1, width = 1;
  double rate = 0;    // samples or frames a second; 0 for a still image
  int bit_depth = 8;  // of the source, 8 or 16: what a decoder writes back
  int source = 0;     // of actions: number of the model's source (tokenizers/action/action_config.h)
  std::vector<float> data;

  size_t PlaneSize() const { return static_cast<size_t>(height) * static_cast<size_t>(width); }
  bool HasAlpha() const { return modality == Modality::kImage && channels % 2 == 0; }
};

}  // namespace vqc
