// SPDX-License-Identifier: Apache-2.0
// What tests/oracle/tables.py put into tests/golden/tables: kRows rows, row i with Picture(i), or with
// Sound(i).
#pragma once

#include <string>

namespace vqc::testing {

constexpr int kRows = 10;

inline std::string Picture(int i) {
  std::string picture = "P6\n16 12\n255\n";
  for (int k = 0; k < 3 * 16 * 12; ++k) picture += static_cast<char>((37 * i + 11 * k + k * k) % 256);
  return picture;
}

// A WAV file.
inline std::string Sound(int i) {
  const int bytes = 2 * (1000 + 100 * i);
  const auto number = [](int value) {
    std::string text;
    for (int k = 0; k < 4; ++k) text += static_cast<char>(value >> 8 * k & 255);
    return text;
  };
  std::string sound = "RIFF" + number(36 + bytes) + "WAVEfmt " + number(16) + number(1 | 1 << 16) +
                      number(24000) + number(48000) + number(2 | 16 << 16) + "data" + number(bytes);
  for (int k = 0; k < bytes; ++k) sound += static_cast<char>((7 * k + 13 * i) % 61);
  return sound;
}

}  // namespace vqc::testing
