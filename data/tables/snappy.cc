// SPDX-License-Identifier: Apache-2.0
#include "data/tables/snappy.h"

#include "base/bytes.h"

namespace vqc {
namespace {

enum Tag : uint8_t { kLiteral = 0, kCopy1 = 1, kCopy2 = 2, kCopy4 = 3 };
constexpr uint32_t kShortLiteral = 60;  // longer ones have their length in the bytes after the tag

uint64_t LittleEndian(ByteReader& reader, uint32_t count) {
  uint64_t value = 0;
  for (uint32_t i = 0; i < count; ++i) value |= uint64_t{reader.U8()} << (8 * i);
  return value;
}

}  // namespace

std::optional<std::vector<uint8_t>> UnpackSnappy(std::span<const uint8_t> packed, size_t size) {
  ByteReader reader(packed);
  std::vector<uint8_t> out;
  // An element of three bytes stands for 64 at most.
  if (reader.Varint() != size || !reader.ok() || size / 64 > packed.size()) return std::nullopt;
  out.reserve(size);
  while (reader.ok() && reader.remaining() > 0) {
    const uint8_t tag = reader.U8();
    if ((tag & 3) == kLiteral) {
      uint64_t length = tag >> 2;
      if (length >= kShortLiteral) length = LittleEndian(reader, static_cast<uint32_t>(length) - 59);
      if (length >= size - out.size()) return std::nullopt;
      const auto literal = reader.Bytes(length + 1);
      out.insert(out.end(), literal.begin(), literal.end());
      continue;
    }
    const bool brief = (tag & 3) == kCopy1;
    const size_t length = brief ? (tag >> 2 & 7) + 4u : (tag >> 2) + 1u;
    const uint64_t offset =
        brief ? uint64_t{tag} >> 5 << 8 | reader.U8() : LittleEndian(reader, (tag & 3) == kCopy2 ? 2 : 4);
    if (offset == 0 || offset > out.size() || length > size - out.size()) return std::nullopt;
    // One by one: a copy may read what it writes.
    for (size_t i = 0; i < length; ++i) out.push_back(out[out.size() - static_cast<size_t>(offset)]);
  }
  if (!reader.ok() || out.size() != size) return std::nullopt;
  return out;
}

}  // namespace vqc
