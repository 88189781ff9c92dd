// SPDX-License-Identifier: Apache-2.0
#include "base/base64.h"

#include <algorithm>

namespace vqc {
namespace {

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string ToBase64(std::span<const uint8_t> bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j) group = group << 8 | (j < count ? bytes[i + j] : 0u);
    for (size_t j = 0; j < 4; ++j) text += j <= count ? kDigits[group >> (18 - 6 * j) & 63] : '=';
  }
  return text;
}

std::optional<std::vector<uint8_t>> FromBase64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i < text.size(); i += 4) {
    std::string_view group = text.substr(i, 4);
    if (i + 4 == text.size())
      group = group.substr(0, group.size() - (group.ends_with("==") ? 2 : group.ends_with('=')));
    uint32_t value = 0;
    for (size_t j = 0; j < 4; ++j) {
      const size_t digit = j < group.size() ? kDigits.find(group[j]) : 0;
      if (digit == std::string_view::npos) return std::nullopt;
      value = value << 6 | static_cast<uint32_t>(digit);
    }
    for (size_t j = 0; j + 1 < group.size(); ++j)
      bytes.push_back(static_cast<uint8_t>(value >> (16 - 8 * j)));
    if ((value & ((1u << (8 * (4 - group.size()))) - 1)) != 0 && group.size() < 4) return std::nullopt;
  }
  return bytes;
}

}  // namespace vqc
