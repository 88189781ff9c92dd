// SPDX-License-Identifier: Apache-2.0
// What `info` prints: lines of a key and its value.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vqc {

inline std::string Line(const std::string& key, const std::string& value) {
  return "  " + key + std::string(key.size() < 14 ? 14 - key.size() : 1, ' ') + value + "\n";
}

inline std::string Joined(const std::vector<uint32_t>& numbers) {
  std::string text;
  for (const uint32_t number : numbers) text += (text.empty() ? "" : ", ") + std::to_string(number);
  return text;
}

}  // namespace vqc
