// SPDX-License-Identifier: Apache-2.0
// Integer samples of image files to the floats of a Clip and back. v of 0 .. max becomes v / (max / 2) - 1;
// the way back rounds to the nearest and clamps, so every v of 8 and 16 bits comes back as it was.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "base/clip.h"

namespace vqc {

inline float FromSample(uint32_t value, uint32_t max) {
  return static_cast<float>(value / (max * 0.5) - 1.0);
}

inline uint32_t ToSample(float value, uint32_t max) {
  if (!(value > -1.0f)) return 0;  // NaN too
  if (value >= 1.0f) return max;
  return static_cast<uint32_t>(std::lround((value + 1.0) * (max * 0.5)));
}

inline uint32_t SampleMax(const Clip& clip) { return clip.bit_depth > 8 ? 65535 : 255; }

// Puts the rows of a file, as they lie in it, where the picture's orientation wants them: nothing is turned
// afterwards, so a large photo never exists twice.
class RowSink {
 public:
  // width and height are those of the file; orientation is EXIF's 1 .. 8. Allocates clip.data.
  RowSink(Clip& clip, int width, int height, int channels, int orientation) : clip_(clip), width_(width) {
    const bool turned = orientation >= 5;
    clip.modality = Modality::kImage;
    clip.frames = 1;
    clip.rate = 0;
    clip.channels = channels;
    clip.width = turned ? height : width;
    clip.height = turned ? width : height;
    clip.data.resize(clip.PlaneSize() * static_cast<size_t>(channels));
    const ptrdiff_t row = clip.width, last_x = clip.width - 1, last_y = (clip.height - 1) * row;
    switch (orientation) {
      case 2:
        Set(last_x, -1, row);
        break;  // mirrored left to right
      case 3:
        Set(last_x + last_y, -1, -row);
        break;  // upside down
      case 4:
        Set(last_y, 1, -row);
        break;  // mirrored top to bottom
      case 5:
        Set(0, row, 1);
        break;  // mirrored at the main diagonal
      case 6:
        Set(last_x, row, -1);
        break;  // to be turned clockwise
      case 7:
        Set(last_x + last_y, -row, -1);
        break;  // mirrored at the other diagonal
      case 8:
        Set(last_y, -row, 1);
        break;  // to be turned anticlockwise
      default:
        Set(0, 1, row);
    }
  }

  // samples: [width][channels], each at most max.
  template <class T>
  void Put(int y, const T* samples, uint32_t max) {
    if (max != table_max_) MakeTable(max);
    const int channels = clip_.channels;
    for (int c = 0; c < channels; ++c) {
      float* to = clip_.data.data() + static_cast<size_t>(c) * clip_.PlaneSize() + base_ + y * step_y_;
      const T* from = samples + c;
      if (max < kTable) {
        for (int x = 0; x < width_; ++x, from += channels, to += step_x_) *to = table_[*from & (kTable - 1)];
      } else {
        const double scale = 1 / (max * 0.5);
        for (int x = 0; x < width_; ++x, from += channels, to += step_x_) {
          *to = static_cast<float>(*from * scale - 1.0);
        }
      }
    }
  }

  void PutFloats(int y, const float* samples) {
    const int channels = clip_.channels;
    for (int c = 0; c < channels; ++c) {
      float* to = clip_.data.data() + static_cast<size_t>(c) * clip_.PlaneSize() + base_ + y * step_y_;
      for (int x = 0; x < width_; ++x, to += step_x_) *to = samples[x * channels + c];
    }
  }

 private:
  static constexpr uint32_t kTable = 256;

  void Set(ptrdiff_t base, ptrdiff_t step_x, ptrdiff_t step_y) {
    base_ = base;
    step_x_ = step_x;
    step_y_ = step_y;
  }
  void MakeTable(uint32_t max) {
    table_max_ = max;
    for (uint32_t v = 0; v < kTable && v <= max && max < kTable; ++v) table_[v] = FromSample(v, max);
  }

  Clip& clip_;
  int width_;
  ptrdiff_t base_ = 0, step_x_ = 1, step_y_ = 1;
  uint32_t table_max_ = 0;
  std::array<float, kTable> table_{};
};

// Row y of an image as interleaved samples of 0 .. max; out: [width][channels].
template <class T>
void TakeRow(const Clip& clip, int y, uint32_t max, T* out) {
  for (int c = 0; c < clip.channels; ++c) {
    const float* from =
        clip.data.data() + static_cast<size_t>(c) * clip.PlaneSize() + static_cast<size_t>(y) * clip.width;
    for (int x = 0; x < clip.width; ++x) {
      out[static_cast<size_t>(x) * clip.channels + c] = static_cast<T>(ToSample(from[x], max));
    }
  }
}

}  // namespace vqc
