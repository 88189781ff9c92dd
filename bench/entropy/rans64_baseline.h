// SPDX-License-Identifier: Apache-2.0
// The baseline: 64-bit rANS with four states in turns, words of 32 bits, division by multiplication, and a
// table from slot to symbol. Written after the description of F. Giesen's rans64 (ryg_rans, public domain);
// no code of it is here.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <span>
#include <vector>

namespace vqc::bench {

template <class Symbol>  // the smallest type that holds the alphabet
class Rans64 {
 public:
  // REQUIRES: frequencies that sum to 2^bits
  Rans64(std::span<const uint32_t> frequencies, uint32_t bits) : bits_(bits), slots_(size_t{1} << bits) {
    uint32_t start = 0;
    for (size_t symbol = 0; symbol < frequencies.size(); ++symbol) {
      const uint32_t frequency = frequencies[symbol];
      shares_.push_back({start, frequency});
      encode_.push_back(Divisor(start, frequency));
      for (uint32_t i = 0; i < frequency; ++i) slots_[start + i] = static_cast<Symbol>(symbol);
      start += frequency;
    }
  }

  size_t MaxBytes(size_t symbols) const { return symbols * 4 + 64; }

  // Returns where the code begins in `buffer`, of MaxBytes. REQUIRES: symbols.size() % 4 == 0
  const uint32_t* Encode(std::span<const uint32_t> symbols, std::span<uint32_t> buffer) const {
    std::array<uint64_t, 4> x;
    x.fill(kFloor);
    uint32_t* next = buffer.data() + buffer.size();
    for (size_t i = symbols.size(); i >= 4; i -= 4) {
      for (size_t k = 4; k-- > 0;) {
        const Entry& entry = encode_[symbols[i - 4 + k]];
        if (x[k] >= entry.limit) {
          *--next = static_cast<uint32_t>(x[k]);
          x[k] >>= 32;
        }
        const uint64_t quotient =
            static_cast<uint64_t>((static_cast<unsigned __int128>(x[k]) * entry.reciprocal) >> 64) >>
            entry.shift;
        x[k] += entry.bias + quotient * entry.complement;
      }
    }
    for (size_t k = 4; k-- > 0;) {
      *--next = static_cast<uint32_t>(x[k] >> 32);
      *--next = static_cast<uint32_t>(x[k]);
    }
    return next;
  }

  void Decode(const uint32_t* next, std::span<uint32_t> out) const {
    std::array<uint64_t, 4> x;
    for (size_t k = 0; k < 4; ++k, next += 2) x[k] = next[0] | uint64_t{next[1]} << 32;
    const uint64_t mask = (uint64_t{1} << bits_) - 1;
    for (size_t i = 0; i < out.size(); i += 4) {
      for (size_t k = 0; k < 4; ++k) {
        const uint32_t slot = static_cast<uint32_t>(x[k] & mask);
        const Symbol symbol = slots_[slot];
        out[i + k] = symbol;
        x[k] = shares_[symbol].frequency * (x[k] >> bits_) + slot - shares_[symbol].start;
      }
      for (size_t k = 0; k < 4; ++k) {
        if (x[k] < kFloor) x[k] = x[k] << 32 | *next++;
      }
    }
  }

 private:
  static constexpr uint64_t kFloor = uint64_t{1} << 31;
  struct Share {
    uint32_t start, frequency;
  };
  struct Entry {
    uint64_t limit, reciprocal, bias;
    uint32_t complement, shift;
  };

  Entry Divisor(uint32_t start, uint32_t frequency) const {
    const uint64_t total = uint64_t{1} << bits_;
    Entry entry{((kFloor >> bits_) << 32) * frequency, ~uint64_t{0}, start + total - 1,
                static_cast<uint32_t>(total - frequency), 0};
    if (frequency < 2) return entry;
    const uint32_t shift = static_cast<uint32_t>(std::bit_width(frequency - 1));
    entry.reciprocal = static_cast<uint64_t>(
        ((static_cast<unsigned __int128>(1) << (shift + 63)) + frequency - 1) / frequency);
    entry.bias = start;
    entry.shift = shift - 1;
    return entry;
  }

  uint32_t bits_;
  std::vector<Symbol> slots_;
  std::vector<Share> shares_;
  std::vector<Entry> encode_;
};

}  // namespace vqc::bench
