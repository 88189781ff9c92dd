// SPDX-License-Identifier: Apache-2.0
// The pictures of files/ (made by make_files.py) and clips to compare with them.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/dynamic_part.h"
#include "data/media/media.h"
#include "data/media/samples.h"

namespace vqc {

std::vector<uint8_t> MediaBytes(const std::string& name);

// The integer sample at a place of an image.
inline int SampleAt(const Clip& clip, int y, int x, int channel) {
  const size_t at = static_cast<size_t>(channel) * clip.PlaneSize() + static_cast<size_t>(y) * clip.width + x;
  return static_cast<int>(ToSample(clip.data.at(at), SampleMax(clip)));
}

// Every sample of `found` is within `tolerance` of that of `wanted`.
inline void ExpectSame(const Clip& found, const Clip& wanted, int tolerance = 0) {
  ASSERT_EQ(found.channels, wanted.channels);
  ASSERT_EQ(found.height, wanted.height);
  ASSERT_EQ(found.width, wanted.width);
  ASSERT_EQ(found.bit_depth, wanted.bit_depth);
  ASSERT_EQ(found.data.size(), wanted.data.size());
  for (int y = 0; y < found.height; ++y) {
    for (int x = 0; x < found.width; ++x) {
      for (int c = 0; c < found.channels; ++c) {
        ASSERT_NEAR(SampleAt(found, y, x, c), SampleAt(wanted, y, x, c), tolerance)
            << "row " << y << ", column " << x << ", channel " << c;
      }
    }
  }
}

// A picture whose samples are all different from their neighbours'.
inline Clip MakeClip(int channels, int height, int width, int bit_depth) {
  Clip clip;
  RowSink sink(clip, width, height, channels, 1);
  clip.bit_depth = bit_depth;
  uint32_t state = 12345;
  for (float& value : clip.data) {
    state = state * 1664525u + 1013904223u;
    value = FromSample((state >> 8) & SampleMax(clip), SampleMax(clip));
  }
  return clip;
}

// Whether the media parts were built; a test that needs them is skipped otherwise.
inline bool HavePart(const std::string& extension) {
  static const bool media = LoadPart("vqcodec_media", "vqc_media_part").ok();
  static const bool opencv = LoadPart("vqcodec_opencv", "vqc_opencv_part").ok();
  if (extension == ".png" || extension == ".jpg") return media;
  if (extension == ".webp" || extension == ".tiff" || extension == ".bmp") return opencv;
  return true;
}

#define VQC_NEED_PART(extension) \
  if (!::vqc::HavePart(extension)) GTEST_SKIP() << extension << " needs a media part, which was not built"

}  // namespace vqc
