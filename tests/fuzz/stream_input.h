// SPDX-License-Identifier: Apache-2.0
// A .vqc stream out of fuzzed bytes. Checksums would keep a fuzzer outside of everything behind them, so that
// a stream may also be given in parts, to which the right checksums are added.
//
//   0 | a stream as it is
//   1 | parts, each a size (u16) and so many bytes: a stream under one checksum
//   2 | parts: the head, then chunks, each under its checksum; the end is added
#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/limits.h"
#include "tests/fuzz/fuzz_input.h"

namespace vqc::fuzz {

inline std::vector<uint8_t> StreamOf(Input& input) {
  const uint8_t form = input.U8() % 3;
  ByteWriter out;
  if (form == 0) {
    out.Append(input.Rest());
    return std::move(out).Take();
  }
  ByteWriter checks;
  uint32_t head = 0;
  while (input.Left() > 0) {
    const size_t size = input.U16();
    const size_t from = out.size();
    out.Append(input.Bytes(size));
    if (form == 1) continue;
    const uint32_t crc = Crc32c(out.bytes().subspan(from), head);
    if (from == 0) head = crc;
    out.U32(crc);
    checks.U32(crc);
  }
  if (form == 1) {
    out.U32(Crc32c(out.bytes()));
  } else {
    out.U8(0xE7);
    out.U8(0x45);
    out.U32(Crc32c(checks.bytes()));
  }
  return std::move(out).Take();
}

// What keeps a single run short.
inline Limits FuzzLimits() {
  Limits limits;
  limits.max_pixels = 1 << 16;
  limits.max_tokens = 1 << 13;
  limits.max_vocab = 1 << 16;
  limits.max_side_bytes = 1 << 16;
  return limits;
}

}  // namespace vqc::fuzz
