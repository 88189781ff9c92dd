// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.h"

namespace vqc {

size_t VarintSize(uint64_t value) {
  size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

void ByteWriter::Fixed(uint64_t value, int count) {
  for (int i = 0; i < count; ++i) bytes_.push_back(static_cast<uint8_t>(value >> (8 * i)));
}

void ByteWriter::Varint(uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<uint8_t>(value | 0x80));
  bytes_.push_back(static_cast<uint8_t>(value));
}

void ByteWriter::Append(std::span<const uint8_t> bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

void ByteWriter::Append(std::string_view text) { bytes_.insert(bytes_.end(), text.begin(), text.end()); }

uint64_t ByteReader::Fixed(size_t count) {
  uint64_t value = 0;
  const auto bytes = Bytes(count);
  for (size_t i = 0; i < bytes.size(); ++i) value |= uint64_t{bytes[i]} << (8 * i);
  return value;
}

uint64_t ByteReader::Varint() {
  if (!ok()) return 0;
  uint64_t value = 0;
  for (size_t i = 0; i < kMaxVarintBytes; ++i) {
    if (i >= remaining()) {
      failure_ = Failure::kCutOff;
      return 0;
    }
    const uint8_t byte = bytes_[position_ + i];
    // The tenth byte has room for one bit; a last byte of zero says nothing, so a shorter form exists.
    const bool last = byte < 0x80;
    if ((i == kMaxVarintBytes - 1 && byte > 1) || (last && byte == 0 && i > 0)) break;
    value |= uint64_t{byte & 0x7Fu} << (7 * i);
    if (last) {
      position_ += i + 1;
      return value;
    }
  }
  failure_ = Failure::kOverlong;
  return 0;
}

std::span<const uint8_t> ByteReader::Bytes(uint64_t count) {
  if (!ok()) return {};
  if (count > remaining()) {
    failure_ = Failure::kCutOff;
    return {};
  }
  const auto bytes = bytes_.subspan(position_, static_cast<size_t>(count));
  position_ += static_cast<size_t>(count);
  return bytes;
}

}  // namespace vqc
