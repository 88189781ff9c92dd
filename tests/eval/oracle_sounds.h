// SPDX-License-Identifier: Apache-2.0
// The signals of tests/oracle/sound_metrics.py, made by the same integer arithmetic.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace vqc {

// Rounds down, as Python's // does.
inline int64_t Floor(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a % b < 0) != (b < 0)); }

inline int64_t HashNoise(int64_t n, int64_t seed) {
  auto h = static_cast<uint32_t>(n * 374761393 + seed * 668265263);
  h = (h ^ (h >> 13)) * 1274126177u;
  return (h ^ (h >> 16)) & 0xFFFF;
}

inline std::vector<int64_t> OracleSound(int64_t rate) {
  std::vector<int64_t> samples;
  std::array<int64_t, 4> before{};
  int64_t phase = 0;
  for (int64_t n = 0; n < 2 * rate; ++n) {
    const int64_t syllable = n * 5 / rate, place = n * 5 % rate;
    const int64_t envelope = syllable % 4 == 3 ? 0 : std::min(place, rate - place) * 512 / rate;
    const int64_t pitch = 90 + 23 * (syllable % 5) + 40 * place / rate;
    phase = (phase + pitch * 65536 / rate) % 65536;
    const int64_t voice = Floor((phase - 32768) * envelope, 512);
    const int64_t hiss = syllable % 4 == 1 ? Floor((HashNoise(n, 1) - 32768) * (256 - envelope), 4096)
                                           : Floor(HashNoise(n, 2) - 32768, 8192);
    std::rotate(before.begin(), before.begin() + 1, before.end());
    before.back() = voice + hiss;
    samples.push_back(Floor(before[0] + before[1] + before[2] + before[3], 4));
  }
  return samples;
}

inline std::vector<int64_t> Degraded(const std::vector<int64_t>& x, const std::string& kind) {
  std::vector<int64_t> y;
  for (size_t n = 0; n < x.size(); ++n) {
    if (kind == "noisy") {
      y.push_back(x[n] + Floor(HashNoise(static_cast<int64_t>(n), 7) - 32768, 16));
    } else if (kind == "clipped") {
      y.push_back(std::clamp<int64_t>(x[n], -3000, 3000));
    } else if (kind == "dull") {
      int64_t sum = 0;
      for (size_t i = n < 11 ? 0 : n - 11; i <= n; ++i) sum += x[i];
      y.push_back(Floor(sum, 12));
    } else if (kind == "coarse") {
      y.push_back(Floor(x[n], 2048) * 2048);
    } else {
      y.push_back(n < 9 ? 0 : Floor(x[n - 9], 2));
    }
  }
  return y;
}

}  // namespace vqc
