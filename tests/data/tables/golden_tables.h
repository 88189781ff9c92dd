// SPDX-License-Identifier: Apache-2.0
// What tests/oracle/tables.py put into tests/golden/tables: kRows rows, row i with Picture(i).
#pragma once

#include <string>

namespace vqc::testing {

constexpr int kRows = 10;

inline std::string Picture(int i) {
  std::string picture = "P6\n16 12\n255\n";
  for (int k = 0; k < 3 * 16 * 12; ++k) picture += static_cast<char>((37 * i + 11 * k + k * k) % 256);
  return picture;
}

}  // namespace vqc::testing
