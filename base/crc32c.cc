// SPDX-License-Identifier: Apache-2.0
#include "base/crc32c.h"

#include <array>

namespace vqc {
namespace {

constexpr uint32_t kPolynomial = 0x82F63B78;
constexpr size_t kSlices = 8;

// kTables[k][b]: effect of byte b on the remainder after k more bytes of zero.
constexpr auto kTables = [] {
  std::array<std::array<uint32_t, 256>, kSlices> tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? kPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (size_t k = 1; k < kSlices; ++k) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8) ^ tables[0][before & 0xFF];
    }
  }
  return tables;
}();

}  // namespace

uint32_t Crc32cPortable(std::span<const uint8_t> bytes, uint32_t previous) {
  uint32_t crc = ~previous;
  size_t i = 0;
  for (; bytes.size() - i >= kSlices; i += kSlices) {
    uint32_t next = 0;
    for (size_t k = 0; k < 4; ++k) {
      next ^= kTables[7 - k][((crc >> (8 * k)) & 0xFF) ^ bytes[i + k]];
      next ^= kTables[3 - k][bytes[i + 4 + k]];
    }
    crc = next;
  }
  for (; i < bytes.size(); ++i) crc = (crc >> 8) ^ kTables[0][(crc & 0xFF) ^ bytes[i]];
  return ~crc;
}

bool CpuHasSse42() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("sse4.2");
#else
  return false;
#endif
}

uint32_t Crc32c(std::span<const uint8_t> bytes, uint32_t previous) {
  static const Crc32cFunction chosen = Crc32cSse42 && CpuHasSse42() ? Crc32cSse42 : &Crc32cPortable;
  return chosen(bytes, previous);
}

}  // namespace vqc
