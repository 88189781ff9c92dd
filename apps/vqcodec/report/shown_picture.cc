// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/report/shown_picture.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "base/base64.h"
#include "data/media/media.h"
#include "data/media/samples.h"

namespace vqc {
namespace {

// RGB or gray, 8 bits, without alpha, cut to its middle.
Clip Middle(const Clip& clip) {
  Clip middle;
  middle.channels = clip.channels >= 3 ? 3 : 1;
  middle.height = std::min(clip.height, kShownSide);
  middle.width = std::min(clip.width, kShownSide);
  const int top = (clip.height - middle.height) / 2, left = (clip.width - middle.width) / 2;
  middle.data.reserve(middle.PlaneSize() * static_cast<size_t>(middle.channels));
  for (int c = 0; c < middle.channels; ++c) {
    for (int y = 0; y < middle.height; ++y) {
      const float* row = clip.data.data() + static_cast<size_t>(c) * clip.PlaneSize() +
                         static_cast<size_t>(top + y) * static_cast<size_t>(clip.width) + left;
      middle.data.insert(middle.data.end(), row, row + middle.width);
    }
  }
  return middle;
}

std::vector<uint8_t> SamplesOf(const Clip& clip) {
  std::vector<uint8_t> samples;
  samples.reserve(3 * clip.PlaneSize());
  for (size_t i = 0; i < clip.PlaneSize(); ++i) {
    for (size_t c = 0; c < 3; ++c) {
      const size_t plane = clip.channels == 3 ? c : 0;
      samples.push_back(static_cast<uint8_t>(ToSample(clip.data[plane * clip.PlaneSize() + i], 255)));
    }
  }
  return samples;
}

Json PictureOf(const Clip& clip) {
  const Clip middle = Middle(clip);
  Json picture = {{"width", middle.width}, {"height", middle.height}};
  if (const auto png = WriteImage(middle, ".png"); png.ok()) {
    picture["png"] = ToBase64(*png);
  } else {
    picture["rgb"] = ToBase64(SamplesOf(middle));
  }
  return picture;
}

}  // namespace

Json ShownPicture(const Clip& original, const Clip& decoded, const Tokens& tokens) {
  std::vector<uint8_t> ids;
  ids.reserve(4 * tokens.ids.size());
  for (const uint32_t id : tokens.ids) {
    for (int shift = 0; shift < 32; shift += 8) ids.push_back(static_cast<uint8_t>(id >> shift));
  }
  return {{"original", PictureOf(original)},
          {"decoded", PictureOf(decoded)},
          {"tokens",
           {{"h", tokens.shape.h * tokens.shape.t},
            {"w", tokens.shape.w},
            {"levels", tokens.shape.levels},
            {"ids", ToBase64(ids)}}},
          {"cut", std::max(original.width, original.height) > kShownSide}};
}

}  // namespace vqc
