// SPDX-License-Identifier: Apache-2.0
// The only file compiled with -msse4.2, so that no instruction of it can reach code that runs everywhere.
#include <nmmintrin.h>

#include <cstring>

#include "base/crc32c.h"

namespace vqc {
namespace {

uint32_t Sse42(std::span<const uint8_t> bytes, uint32_t previous) {
  uint64_t crc = ~previous;
  const uint8_t* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= 8; at += 8, left -= 8) {
    uint64_t word;
    std::memcpy(&word, at, sizeof word);
    crc = _mm_crc32_u64(crc, word);
  }
  auto narrow = static_cast<uint32_t>(crc);
  for (; left > 0; ++at, --left) narrow = _mm_crc32_u8(narrow, *at);
  return ~narrow;
}

}  // namespace

const Crc32cFunction Crc32cSse42 = &Sse42;

}  // namespace vqc
