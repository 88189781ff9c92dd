// SPDX-License-Identifier: Apache-2.0
#include "entropy/rans/serial.h"

#include <algorithm>
#include <string>

namespace vqc::rans {
namespace {

constexpr uint32_t kFloor = 1u << 16;
constexpr size_t kStateBytes = 8;

uint32_t U32(const uint8_t* bytes) {
  return bytes[0] | uint32_t{bytes[1]} << 8 | uint32_t{bytes[2]} << 16 | uint32_t{bytes[3]} << 24;
}

Error Damaged(const std::string& what) { return Error{ErrorCode::kCorruptData, "the coded tokens " + what}; }

}  // namespace

std::vector<uint8_t> SerialEncoder::Finish() {
  uint32_t states[2] = {kFloor, kFloor};
  std::vector<uint8_t> reversed;
  for (size_t i = events_.size(); i-- > 0;) {
    const Event& event = events_[i];
    uint32_t& x = states[i % 2];
    if (x >> (32 - event.bits) >= event.frequency) {
      reversed.push_back(static_cast<uint8_t>(x >> 8));
      reversed.push_back(static_cast<uint8_t>(x));
      x >>= 16;
    }
    x = (x / event.frequency << event.bits) + x % event.frequency + event.start;
  }
  events_.clear();
  for (const uint32_t x : {states[1], states[0]}) {
    for (int shift = 24; shift >= 0; shift -= 8) reversed.push_back(static_cast<uint8_t>(x >> shift));
  }
  std::reverse(reversed.begin(), reversed.end());
  return reversed;
}

Result<SerialDecoder> SerialDecoder::Open(std::span<const uint8_t> bytes) {
  if (bytes.size() < kStateBytes || bytes.size() % 2 != 0) {
    return Damaged("have " + std::to_string(bytes.size()) +
                   " bytes, an even number from 8 on is needed; damaged");
  }
  SerialDecoder decoder;
  for (size_t i = 0; i < 2; ++i) {
    decoder.states_[i] = U32(&bytes[4 * i]);
    if (decoder.states_[i] < kFloor) return Damaged("begin with a state that is too low; damaged");
  }
  decoder.next_ = bytes.data() + kStateBytes;
  decoder.end_ = bytes.data() + bytes.size();
  return decoder;
}

Status SerialDecoder::Finish() const {
  if (missing_) return Damaged("are cut off");
  if (next_ != end_) return Damaged("end " + std::to_string(end_ - next_) + " bytes early; damaged");
  if (states_[0] != kFloor || states_[1] != kFloor) return Damaged("do not end as they were begun; damaged");
  return {};
}

}  // namespace vqc::rans
