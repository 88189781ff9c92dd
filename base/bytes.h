// SPDX-License-Identifier: Apache-2.0
// Little-endian bytes, written and read. Every writer function has its mirror in the reader.
//
// A varint holds 7 bits a byte, lowest first, the top bit saying that more follow: 300 is AC 02. It is
// canonical: the shortest form is the only one that is read, so that a value has exactly one spelling.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace vqc {

inline constexpr size_t kMaxVarintBytes = 10;

// Bytes that Varint(value) takes: 1 to 10.
size_t VarintSize(uint64_t value);

class ByteWriter {
 public:
  void U8(uint8_t value) { bytes_.push_back(value); }
  void U16(uint16_t value) { Fixed(value, 2); }
  void U32(uint32_t value) { Fixed(value, 4); }
  void U64(uint64_t value) { Fixed(value, 8); }
  void Varint(uint64_t value);
  void Append(std::span<const uint8_t> bytes);
  void Append(std::string_view text);

  void Reserve(size_t size) { bytes_.reserve(size); }
  size_t size() const { return bytes_.size(); }
  std::span<const uint8_t> bytes() const { return bytes_; }
  std::vector<uint8_t> Take() && { return std::move(bytes_); }

 private:
  void Fixed(uint64_t value, int count);

  std::vector<uint8_t> bytes_;
};

// Reads from the front of a span, which must outlive it. The first failure sticks: from then on every
// function returns zero or an empty span and the position stays, so that a caller may check once.
class ByteReader {
 public:
  enum class Failure : uint8_t { kNone, kCutOff, kOverlong };  // kOverlong: a varint not in its shortest form

  explicit ByteReader(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  uint8_t U8() { return static_cast<uint8_t>(Fixed(1)); }
  uint16_t U16() { return static_cast<uint16_t>(Fixed(2)); }
  uint32_t U32() { return static_cast<uint32_t>(Fixed(4)); }
  uint64_t U64() { return Fixed(8); }
  uint64_t Varint();
  std::span<const uint8_t> Bytes(uint64_t count);

  bool ok() const { return failure_ == Failure::kNone; }
  Failure failure() const { return failure_; }
  size_t position() const { return position_; }
  size_t remaining() const { return bytes_.size() - position_; }

 private:
  uint64_t Fixed(size_t count);

  std::span<const uint8_t> bytes_;
  size_t position_ = 0;
  Failure failure_ = Failure::kNone;
};

}  // namespace vqc
