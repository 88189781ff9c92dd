// SPDX-License-Identifier: Apache-2.0
#include "entropy/rans/lanes.h"

#include <string>

namespace vqc::rans {
namespace {

uint32_t Word(const uint8_t* bytes) { return bytes[0] | uint32_t{bytes[1]} << 8; }

Error Damaged(const std::string& what) { return Error{ErrorCode::kCorruptData, "the coded tokens " + what}; }

}  // namespace

Result<LaneDecoder> LaneDecoder::Open(std::span<const uint8_t> bytes, uint32_t lanes) {
  LaneDecoder decoder;
  if (bytes.size() < size_t{4} * lanes || bytes.size() % 2 != 0) {
    return Damaged("have " + std::to_string(bytes.size()) + " bytes, an even number from " +
                   std::to_string(4 * lanes) + " on is needed; damaged");
  }
  decoder.lanes_ = lanes;
  for (uint32_t i = 0; i < lanes; ++i) {
    decoder.states_[i] = Word(&bytes[4 * i]) | Word(&bytes[4 * i + 2]) << 16;
    if (decoder.states_[i] < kFloor) return Damaged("begin with a state that is too low; damaged");
  }
  decoder.next_ = bytes.data() + 4 * lanes;
  decoder.end_ = bytes.data() + bytes.size();
  return decoder;
}

void LaneDecoder::Refill(uint32_t& state) {
  if (state >= kFloor) return;
  if (next_ == end_) {  // goes on with anything that is valid; Finish tells
    missing_ = true;
    state |= kFloor;
    return;
  }
  state = state << 16 | Word(next_);
  next_ += 2;
}

void LaneDecoder::Step(const DecodeTable& table, uint32_t* out, uint32_t lanes) {
  uint32_t high[kWideLanes];
  const uint32_t mask = (1u << table.coarse_bits) - 1;
  for (uint32_t i = 0; i < lanes; ++i) {
    uint32_t& x = states_[i];
    const uint64_t slot = table.slots[x & mask];
    high[i] = static_cast<uint32_t>(slot >> 32);
    x = static_cast<uint32_t>(slot & 0xFFFF) * (x >> table.coarse_bits) +
        static_cast<uint32_t>(slot >> 16 & 0xFFFF);
    Refill(x);
  }
  for (uint32_t i = 0; i < lanes; ++i) {
    uint32_t& x = states_[i];
    const uint32_t fine_bits = high[i] >> 24;
    const uint32_t rank = (high[i] & 0xFFFFFF) + (x & ((1u << fine_bits) - 1));
    x >>= fine_bits;
    Refill(x);
    out[i] = table.symbols ? table.symbols[rank] : rank;
  }
}

void LaneDecoder::Decode(const DecodeTable& table, std::span<uint32_t> out) {
  size_t done = 0;
  if (const Kernels& kernels = ChosenKernels(); lanes_ == kWideLanes && kernels.decode) {
    done =
        kernels.decode(table, states_.data(), next_, end_, out.data(), out.size() / kWideLanes) * kWideLanes;
  }
  for (; out.size() - done >= lanes_; done += lanes_) Step(table, &out[done], lanes_);
  if (done < out.size()) Step(table, &out[done], static_cast<uint32_t>(out.size() - done));
}

Status LaneDecoder::Finish() const {
  if (missing_) return Damaged("are cut off");
  if (next_ != end_) return Damaged("end " + std::to_string(end_ - next_) + " bytes early; damaged");
  for (uint32_t i = 0; i < lanes_; ++i) {
    if (states_[i] != kFloor)
      return Damaged("do not end as they were begun: damaged, or decoded with another table");
  }
  return {};
}

LaneEncoder::LaneEncoder(size_t symbols, uint32_t lanes)
    : lanes_(lanes),
      capacity_(4 * symbols + kStepBytes + kSlackBytes),
      buffer_(std::make_unique_for_overwrite<uint8_t[]>(capacity_)),
      next_(buffer_.get() + capacity_) {
  states_.fill(kFloor);
}

void LaneEncoder::Emit(uint32_t& state) {
  next_ -= 2;
  next_[0] = static_cast<uint8_t>(state);
  next_[1] = static_cast<uint8_t>(state >> 8);
  state >>= 16;
}

void LaneEncoder::Step(const EncodeTable& table, const uint32_t* symbols, uint32_t lanes) {
  for (uint32_t i = lanes; i-- > 0;) {
    uint32_t& x = states_[i];
    const uint32_t place = table.places[symbols[i]];
    const uint32_t fine_bits = place >> kFineShift & 0xF;
    if (uint64_t{x} >> (32 - fine_bits)) Emit(x);
    x = x << fine_bits | (place & ((1u << kFineShift) - 1));
  }
  for (uint32_t i = lanes; i-- > 0;) {
    uint32_t& x = states_[i];
    const uint64_t band = table.bands[table.places[symbols[i]] >> kBandShift];
    const uint32_t frequency = band & 0xFFFF, start = band >> 16 & 0xFFFF;
    if (uint64_t{x} >> (32 - table.coarse_bits) >= frequency) Emit(x);
    uint32_t quotient =
        static_cast<uint32_t>((uint64_t{x} * (band >> 32)) >> 32);  // or one less than it should be
    quotient += x - quotient * frequency >= frequency;
    x = (quotient << table.coarse_bits) + (x - quotient * frequency) + start;
  }
}

void LaneEncoder::Encode(const EncodeTable& table, std::span<const uint32_t> symbols) {
  size_t left = symbols.size();
  if (const size_t rest = left % lanes_; rest > 0) {
    left -= rest;
    Step(table, &symbols[left], static_cast<uint32_t>(rest));
  }
  if (const Kernels& kernels = ChosenKernels(); lanes_ == kWideLanes && kernels.encode) {
    left -= kWideLanes *
            kernels.encode(table, states_.data(), buffer_.get(), next_, symbols.data(), left / kWideLanes);
  }
  for (; left > 0; left -= lanes_) Step(table, &symbols[left - lanes_], lanes_);
}

std::vector<uint8_t> LaneEncoder::Finish() const {
  std::vector<uint8_t> bytes;
  bytes.reserve(static_cast<size_t>(buffer_.get() + capacity_ - next_) + 4 * lanes_);
  for (uint32_t i = 0; i < lanes_; ++i) {
    for (int shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<uint8_t>(states_[i] >> shift));
  }
  bytes.insert(bytes.end(), next_, buffer_.get() + capacity_);
  return bytes;
}

}  // namespace vqc::rans
