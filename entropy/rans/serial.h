// SPDX-License-Identifier: Apache-2.0
// rANS for events that depend on each other: two states in turns, each event with a frequency of its own.
//
// States, words, renormalisation and end are those of entropy/rans/lanes.h with two lanes: event i belongs to
// state i modulo 2, and takes x to frequency * (x >> bits) + (x mod 2^bits) - start. Events of no bits are
// left out.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"

namespace vqc::rans {

class SerialEncoder {
 public:
  // REQUIRES: frequency >= 1, start + frequency <= 2^bits, bits <= 16, frequency < 2^16
  void Add(uint32_t start, uint32_t frequency, uint32_t bits) {
    if (bits == 0) return;
    events_.push_back(
        {static_cast<uint16_t>(start), static_cast<uint16_t>(frequency), static_cast<uint8_t>(bits)});
  }
  // The bytes of all events since the last call.
  std::vector<uint8_t> Finish();

 private:
  struct Event {
    uint16_t start, frequency;
    uint8_t bits;
  };
  std::vector<Event> events_;
};

class SerialDecoder {
 public:
  static Result<SerialDecoder> Open(std::span<const uint8_t> bytes);

  // x mod 2^bits of the next event. REQUIRES: bits > 0
  uint32_t Peek(uint32_t bits) const { return states_[turn_] & ((1u << bits) - 1); }
  void Take(uint32_t start, uint32_t frequency, uint32_t bits) {
    uint32_t& x = states_[turn_];
    x = frequency * (x >> bits) + (x & ((1u << bits) - 1)) - start;
    if (x < 1u << 16) Refill(x);
    turn_ ^= 1;
  }
  Status Finish() const;

 private:
  void Refill(uint32_t& x) {
    if (next_ == end_) {  // goes on with anything that is valid; Finish tells
      missing_ = true;
      x |= 1u << 16;
      return;
    }
    x = x << 16 | next_[0] | uint32_t{next_[1]} << 8;
    next_ += 2;
  }

  uint32_t states_[2] = {};
  uint32_t turn_ = 0;
  const uint8_t* next_ = nullptr;
  const uint8_t* end_ = nullptr;
  bool missing_ = false;
};

}  // namespace vqc::rans
