// SPDX-License-Identifier: Apache-2.0
// Band tables: distributions over up to 2^20 symbols whose decoding tables stay in the first-level cache.
//
// Symbols of about equal probability share a band of 2^fine_bits. A symbol is coded in two steps: its band,
// with a frequency out of 2^coarse_bits, and its place in the band, as fine_bits plain bits. So a symbol has
// a probability of frequency / 2^(coarse_bits + fine_bits), up to 31 bits fine, while the table that decoding
// looks into has 2^coarse_bits entries, whatever the alphabet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"

namespace vqc::rans {

constexpr uint32_t kMaxCoarseBits = 16;
constexpr uint32_t kMaxFineBits = 15;
constexpr uint32_t kMaxFrequency = 0xFFFF;
constexpr uint32_t kMaxBands = 4096;
constexpr uint32_t kMaxSymbols = 1u << 20;

struct Band {
  uint32_t frequency = 1;  // of 2^coarse_bits
  uint32_t fine_bits = 0;
  bool operator==(const Band&) const = default;
};

struct BandTable {
  uint32_t coarse_bits = 0;
  std::vector<Band> bands;
  std::vector<uint32_t> symbols;  // those of the first band, then those of the second, ..., rising in each;
                                  // not all need be there
};

// How many symbols the bands hold. REQUIRES: what CheckBands wants
size_t SymbolsIn(std::span<const Band> bands);

// kCorruptData unless there are 1 to kMaxBands bands, their frequencies are 1 to 65535 and sum to
// 2^coarse_bits, and they hold at most `alphabet` symbols. What is checked here and the order of symbols is
// all there is to a table.
Status CheckBands(uint32_t coarse_bits, std::span<const Band> bands, uint32_t alphabet);

// What decoding looks up, by the low coarse_bits of a state.
struct DecodeTable {
  // frequency (16 bits) | place of the slot in its band's share (16) | rank of the band's first symbol (24) |
  // fine_bits
  std::vector<uint64_t> slots;
  const uint32_t* symbols = nullptr;  // by rank; null: ranks are the symbols
  uint32_t coarse_bits = 0;
  bool fine = false;  // a band has more than one symbol
};
// REQUIRES: CheckBands. The table's symbols must outlive it; `ranks`: decode to ranks instead.
DecodeTable MakeDecodeTable(const BandTable& table, bool ranks = false);

// What encoding looks up.
struct EncodeTable {
  std::vector<uint32_t> places;  // by symbol: band (12 bits) | fine_bits (4) | place in the band (15, lowest)
  std::vector<uint64_t>
      bands;  // floor(2^32 / frequency) (32 bits) | first slot (16) | frequency (16, lowest)
  uint32_t coarse_bits = 0;
  bool fine = false;
};
constexpr uint32_t kFineShift = 15, kBandShift = 19;
// REQUIRES: CheckBands and symbols below `alphabet`. Only symbols of the table can be encoded.
EncodeTable MakeEncodeTable(const BandTable& table, uint32_t alphabet);

}  // namespace vqc::rans
