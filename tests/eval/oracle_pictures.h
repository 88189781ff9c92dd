// SPDX-License-Identifier: Apache-2.0
// The pictures of tests/oracle/metrics.py, by the same integer arithmetic.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clip.h"
#include "data/media/samples.h"

namespace vqc {

struct OraclePicture {
  int height, width, channels;
  std::vector<int> samples;  // [channel][row][col]

  size_t Index(int y, int x, int c) const {
    return (static_cast<size_t>(c) * height + y) * static_cast<size_t>(width) + x;
  }
  int& At(int y, int x, int c) { return samples[Index(y, x, c)]; }
  int At(int y, int x, int c) const { return samples[Index(y, x, c)]; }

  Clip ToClip() const {
    Clip clip;
    clip.height = height;
    clip.width = width;
    clip.channels = channels;
    for (const int sample : samples) clip.data.push_back(FromSample(static_cast<uint32_t>(sample), 255));
    return clip;
  }
};

inline int Triangle(int t, int period) { return std::abs(t % (2 * period) - period) * 255 / period; }

inline int OracleNoise(int y, int x, int c, uint32_t seed, int range) {
  uint32_t h = static_cast<uint32_t>(x) * 374761393u + static_cast<uint32_t>(y) * 668265263u +
               static_cast<uint32_t>(c) * 2246822519u + seed * 3266489917u;
  h = (h ^ (h >> 13)) * 1274126177u;
  return static_cast<int>((h ^ (h >> 16)) % static_cast<uint32_t>(range));
}

template <class Sample>
OraclePicture MakePicture(int height, int width, int channels, const Sample& sample) {
  OraclePicture picture{height, width, channels, {}};
  for (int c = 0; c < channels; ++c) {
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) picture.samples.push_back(sample(y, x, c));
    }
  }
  return picture;
}

inline OraclePicture OracleOriginal(int height, int width, int channels) {
  return MakePicture(height, width, channels, [](int y, int x, int c) {
    const int waves = (Triangle(3 * x + 2 * y + 37 * c, 90) + Triangle(5 * y + x * (c + 1), 61)) / 2;
    return std::clamp(waves + OracleNoise(y, x, c, 1, 32) - 16, 0, 255);
  });
}

// kind: quantized, blurred, noisy, brighter or blocks.
inline OraclePicture OracleDecoded(const OraclePicture& from, const std::string& kind) {
  return MakePicture(from.height, from.width, from.channels, [&](int y, int x, int c) {
    const int value = from.At(y, x, c);
    if (kind == "quantized") return std::min(value / 24 * 24 + 12, 255);
    if (kind == "noisy") return std::clamp(value + OracleNoise(y, x, c, 2, 41) - 20, 0, 255);
    if (kind == "brighter") return std::min(value + 20, 255);
    if (kind == "blocks") return from.At(y / 8 * 8, x / 8 * 8, c);
    int sum = 0, count = 0;
    for (int v = std::max(y - 2, 0); v <= std::min(y + 2, from.height - 1); ++v) {
      for (int u = std::max(x - 2, 0); u <= std::min(x + 2, from.width - 1); ++u, ++count)
        sum += from.At(v, u, c);
    }
    return sum / count;
  });
}

}  // namespace vqc
