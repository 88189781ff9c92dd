// SPDX-License-Identifier: Apache-2.0
#include "entropy/range_coder.h"

#include <algorithm>
#include <string>

namespace vqc {
namespace {

constexpr uint64_t kSettled = 1ull << 56;

// The value in [low, low + range) (modulo 2^64) with the most trailing zero bytes.
uint64_t ShortestValue(uint64_t low, uint64_t range) {
  for (int kept = 0; kept < 8; ++kept) {
    const uint64_t mask = UINT64_MAX >> (8 * kept);
    const uint64_t value = (low + mask) & ~mask;
    if (value - low < range) return value;
  }
  return low;
}

}  // namespace

void RangeEncoder::Carry() {
  for (size_t i = bytes_.size(); i-- > 0;) {
    if (++bytes_[i] != 0) return;
  }
}

void RangeEncoder::Narrow(uint64_t unit, Interval interval, uint32_t total) {
  const uint64_t before = low_;
  low_ += unit * interval.start;
  if (low_ < before) Carry();
  // The last symbol also gets what the division lost.
  range_ = interval.start + interval.size == total ? range_ - unit * interval.start : unit * interval.size;
  while (range_ < kSettled) {
    bytes_.push_back(static_cast<uint8_t>(low_ >> 56));
    low_ <<= 8;
    range_ <<= 8;
  }
}

std::vector<uint8_t> RangeEncoder::Finish() && {
  const uint64_t value = ShortestValue(low_, range_);
  if (value < low_) Carry();
  for (int shift = 56; shift >= 0; shift -= 8) bytes_.push_back(static_cast<uint8_t>(value >> shift));
  while (!bytes_.empty() && bytes_.back() == 0) bytes_.pop_back();
  return std::move(bytes_);
}

RangeDecoder::RangeDecoder(std::span<const uint8_t> bytes) : bytes_(bytes) {
  for (int i = 0; i < 8; ++i) offset_ = offset_ << 8 | Next();
  if (offset_ >= range_) {  // eight bytes of 0xFF: no encoder writes them, and the offset must stay inside
    damaged_ = true;
    offset_ = range_ - 1;
  }
}

uint32_t RangeDecoder::Quantile() {
  unit_ = range_ >> kTableBits;
  return static_cast<uint32_t>(std::min<uint64_t>(offset_ / unit_, kTableTotal - 1));
}

uint32_t RangeDecoder::Quantile(uint32_t total) {
  unit_ = range_ / total;
  return static_cast<uint32_t>(std::min<uint64_t>(offset_ / unit_, total - 1));
}

void RangeDecoder::Consume(Interval interval, uint32_t total) {
  low_ += unit_ * interval.start;
  offset_ -= unit_ * interval.start;
  range_ = interval.start + interval.size == total ? range_ - unit_ * interval.start : unit_ * interval.size;
  while (range_ < kSettled) {
    offset_ = offset_ << 8 | Next();
    low_ <<= 8;
    range_ <<= 8;
  }
}

Status RangeDecoder::Finish() const {
  if (position_ < bytes_.size()) {
    return Error{ErrorCode::kCorruptData,
                 "the coded tokens end " + std::to_string(bytes_.size() - position_) +
                     " bytes before their payload of " + std::to_string(bytes_.size()) + " bytes does"};
  }
  if (damaged_ || offset_ != ShortestValue(low_, range_) - low_ || (!bytes_.empty() && bytes_.back() == 0)) {
    return Error{ErrorCode::kCorruptData,
                 "the payload of " + std::to_string(bytes_.size()) +
                     " bytes does not end as its tokens do: it is damaged or cut off"};
  }
  return {};
}

}  // namespace vqc
