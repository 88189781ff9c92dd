// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/contact_sheet.h"

#include <algorithm>
#include <cmath>

namespace vqc {
namespace {

constexpr int kGap = 4;
constexpr float kGray = 0, kInk = -0.8f, kPaper = 0.9f;

Clip Blank(int height, int width, float value) {
  Clip clip;
  clip.channels = 3;
  clip.height = height;
  clip.width = width;
  clip.data.assign(3 * clip.PlaneSize(), value);
  return clip;
}

// The mean over [y0, y1) x [x0, x1) of a plane, edges counted by the part that is inside.
float AreaMean(const float* plane, int width, double y0, double y1, double x0, double x1) {
  double sum = 0, weight = 0;
  for (int y = static_cast<int>(y0); y < std::ceil(y1); ++y) {
    const double rows = std::min<double>(y + 1, y1) - std::max<double>(y, y0);
    for (int x = static_cast<int>(x0); x < std::ceil(x1); ++x) {
      const double part = rows * (std::min<double>(x + 1, x1) - std::max<double>(x, x0));
      sum += part * plane[static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x)];
      weight += part;
    }
  }
  return static_cast<float>(sum / weight);
}

Clip SmallPicture(const Clip& clip, int cell) {
  const double scale = std::max({1.0, clip.height / double(cell), clip.width / double(cell)});
  const int height = std::max(1, static_cast<int>(clip.height / scale));
  const int width = std::max(1, static_cast<int>(clip.width / scale));
  Clip small = Blank(height, width, kGray);
  const double down = double(clip.height) / height, across = double(clip.width) / width;
  for (size_t c = 0; c < 3; ++c) {
    const float* plane = clip.data.data() + (clip.channels == 1 ? 0 : c) * clip.PlaneSize();
    float* out = small.data.data() + c * small.PlaneSize();
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        *out++ = AreaMean(plane, clip.width, y * down, std::min<double>((y + 1) * down, clip.height),
                          x * across, std::min<double>((x + 1) * across, clip.width));
      }
    }
  }
  return small;
}

void Ink(Clip& picture, int y, int x) {
  for (size_t c = 0; c < 3; ++c) {
    picture.data[c * picture.PlaneSize() + static_cast<size_t>(y) * static_cast<size_t>(picture.width) +
                 static_cast<size_t>(x)] = kInk;
  }
}

Clip Courses(const Clip& clip, int cell) {
  Clip picture = Blank(cell, cell, kPaper);
  const auto dims = static_cast<size_t>(clip.channels), steps = static_cast<size_t>(clip.frames);
  for (size_t d = 0; d < dims; ++d) {
    const int top = static_cast<int>(static_cast<size_t>(cell) * d / dims);
    const int height = std::max(1, static_cast<int>(static_cast<size_t>(cell) * (d + 1) / dims) - top - 1);
    float low = clip.data[d], high = clip.data[d];
    for (size_t t = 0; t < steps; ++t) {
      low = std::min(low, clip.data[t * dims + d]);
      high = std::max(high, clip.data[t * dims + d]);
    }
    const auto row = [&](size_t step) {
      const double part =
          high > low ? (double{high} - clip.data[step * dims + d]) / (double{high} - low) : 0.5;
      return std::min(top + static_cast<int>(part * (height - 1) + 0.5), cell - 1);
    };
    for (int x = 0, before = row(0); x < cell; ++x) {
      const int now = row(steps * static_cast<size_t>(x) / static_cast<size_t>(cell));
      for (int y = std::min(before, now); y <= std::max(before, now); ++y) Ink(picture, y, x);
      before = now;
    }
  }
  return picture;
}

Clip Envelope(const Clip& clip, int cell) {
  Clip picture = Blank(cell, cell, kPaper);
  const auto channels = static_cast<size_t>(clip.channels), frames = static_cast<size_t>(clip.frames);
  for (int x = 0; x < cell; ++x) {
    const size_t first = frames * static_cast<size_t>(x) / static_cast<size_t>(cell);
    const size_t end = std::max(first + 1, frames * static_cast<size_t>(x + 1) / static_cast<size_t>(cell));
    float low = 1, high = -1;
    for (size_t i = first; i < std::min(end, frames); ++i) {
      low = std::min(low, clip.data[i * channels]);
      high = std::max(high, clip.data[i * channels]);
    }
    const auto row = [cell](float value) {
      return std::clamp(static_cast<int>((1 - value) / 2 * static_cast<float>(cell)), 0, cell - 1);
    };
    for (int y = row(high); y <= row(low); ++y) Ink(picture, y, x);
  }
  return picture;
}

}  // namespace

Clip Thumbnail(const Clip& clip, int cell) {
  switch (clip.modality) {
    case Modality::kAudio:
      return Envelope(clip, cell);
    case Modality::kAction:
      return Courses(clip, cell);
    default:
      return SmallPicture(clip, cell);
  }
}

Clip ContactSheet(const std::vector<Clip>& clips, int cell) {
  const auto count = static_cast<int>(clips.size());
  const int columns = static_cast<int>(std::ceil(std::sqrt(count))), rows = (count + columns - 1) / columns;
  const int step = cell + kGap;
  Clip sheet = Blank(rows * step + kGap, columns * step + kGap, kGray);
  for (int i = 0; i < count; ++i) {
    const Clip small = Thumbnail(clips[static_cast<size_t>(i)], cell);
    const int top = kGap + i / columns * step + (cell - small.height) / 2;
    const int left = kGap + i % columns * step + (cell - small.width) / 2;
    for (size_t c = 0; c < 3; ++c) {
      for (int y = 0; y < small.height; ++y) {
        const auto from =
            small.data.begin() + static_cast<ptrdiff_t>(c * small.PlaneSize()) + y * small.width;
        std::copy_n(from, small.width,
                    sheet.data.begin() + static_cast<ptrdiff_t>(c * sheet.PlaneSize()) +
                        static_cast<ptrdiff_t>(top + y) * sheet.width + left);
      }
    }
  }
  return sheet;
}

}  // namespace vqc
