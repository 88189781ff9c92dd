// SPDX-License-Identifier: Apache-2.0
// Range coder over tables of 2^24: 64-bit state, bytes out, carries resolved in the bytes already written.
//
//   encoder   low, range < 2^64; a symbol narrows [low, low + range) to its share; while range < 2^56 the
//             top byte of low is settled and leaves.
//   decoder   keeps code - low, the place of the stream's value inside the interval, and narrows alike.
//
// range >= 2^56 before each symbol, so a share is exact to 2^-32. Finish() writes the shortest string of
// bytes whose value lies in the last interval and drops trailing zero bytes, because the decoder reads
// zeros past the end: a stream is at most one byte longer than its ideal, and exactly one string of
// bytes belongs to a sequence of symbols. RangeDecoder::Finish refuses all others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "entropy/frequency_table.h"

namespace vqc {

class RangeEncoder {
 public:
  // REQUIRES: interval.size > 0 and start + size <= kTableTotal
  void Encode(Interval interval) { Narrow(range_ >> kTableBits, interval, kTableTotal); }
  // Of [0, total) instead. REQUIRES: start + size <= total, 1 <= size, total < 2^32
  void Encode(Interval interval, uint32_t total) { Narrow(range_ / total, interval, total); }
  std::vector<uint8_t> Finish() &&;

 private:
  void Narrow(uint64_t unit, Interval interval, uint32_t total);
  void Carry();
  uint64_t low_ = 0, range_ = UINT64_MAX;
  std::vector<uint8_t> bytes_;
};

// `bytes` must outlive the decoder. Reads past its end give zeros, so decoding cannot fail before Finish.
class RangeDecoder {
 public:
  explicit RangeDecoder(std::span<const uint8_t> bytes);

  // A number below kTableTotal, or below `total`, that lies in the interval of the next symbol.
  uint32_t Quantile();
  uint32_t Quantile(uint32_t total);
  // REQUIRES: `interval` holds what Quantile just gave, for the same total
  void Consume(Interval interval, uint32_t total = kTableTotal);
  // kCorruptData unless the bytes are those that the encoder writes for the symbols consumed. Damage is thus
  // an error or other symbols, never the same; which of the two only a checksum of the tokens tells for sure.
  Status Finish() const;

 private:
  uint8_t Next() { return position_ < bytes_.size() ? bytes_[position_++] : (++position_, uint8_t{0}); }
  std::span<const uint8_t> bytes_;
  size_t position_ = 0;
  bool damaged_ = false;
  uint64_t low_ = 0, range_ = UINT64_MAX, offset_ = 0, unit_ = 0;
};

}  // namespace vqc
