// SPDX-License-Identifier: Apache-2.0
// Integers at given places of a byte buffer, in either byte order, never beyond its end.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace vqc {

class ByteView {
 public:
  explicit ByteView(std::span<const uint8_t> bytes, bool big_endian = true)
      : bytes_(bytes), big_(big_endian) {}

  size_t size() const { return bytes_.size(); }
  bool Has(uint64_t at, uint64_t count) const { return at <= bytes_.size() && count <= bytes_.size() - at; }

  // REQUIRES: Has(at, width of the value)
  uint8_t U8(size_t at) const { return bytes_[at]; }
  uint16_t U16(size_t at) const {
    const unsigned a = bytes_[at], b = bytes_[at + 1];
    return static_cast<uint16_t>(big_ ? a << 8 | b : b << 8 | a);
  }
  uint32_t U32(size_t at) const {
    const uint32_t a = U16(at), b = U16(at + 2);
    return big_ ? a << 16 | b : b << 16 | a;
  }
  std::span<const uint8_t> Sub(size_t at, size_t count) const { return bytes_.subspan(at, count); }

  bool Is(size_t at, std::string_view text) const {
    if (!Has(at, text.size())) return false;
    for (size_t i = 0; i < text.size(); ++i) {
      if (bytes_[at + i] != static_cast<uint8_t>(text[i])) return false;
    }
    return true;
  }

 private:
  std::span<const uint8_t> bytes_;
  bool big_;
};

}  // namespace vqc
