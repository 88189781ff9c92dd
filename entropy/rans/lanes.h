// SPDX-License-Identifier: Apache-2.0
// Interleaved rANS over band tables: symbol i belongs to state i modulo the number of lanes, all states share
// one sequence of 16-bit words, and everything is the same bytes on every machine.
//
// States are 32 bits, at least 2^16 between steps. Decoding a step of `lanes` symbols:
//   1. every lane: slot = x mod 2^coarse_bits gives the band; x = frequency * (x >> coarse_bits) + place of
//   the slot
//   2. lanes in order: where x < 2^16, x = x << 16 | next word
//   3. every lane: the low fine_bits of x are the place in the band; x >>= fine_bits
//   4. as 2
// Encoding is the exact inverse, from the last symbol to the first, so words are written backwards. Every
// state begins at 2^16, and decoding must end there: that is the check.
//
// Bytes: the states, 4 bytes each, lowest lane first; then the words. All little endian.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "entropy/rans/band_table.h"
#include "entropy/rans/kernels.h"

namespace vqc::rans {

constexpr uint32_t kFloor = 1u << 16;

// Few states for few symbols: each costs 4 bytes.
constexpr uint32_t LanesFor(size_t symbols) { return symbols >= 1u << 15 ? kWideLanes : 4; }

class LaneDecoder {
 public:
  // kCorruptData where `bytes`, which must outlive the decoder, are too few for the states or a state is too
  // low.
  static Result<LaneDecoder> Open(std::span<const uint8_t> bytes, uint32_t lanes);

  // Decodes out.size() symbols, a multiple of the lanes except in the last call.
  void Decode(const DecodeTable& table, std::span<uint32_t> out);

  // kCorruptData unless all words were read, none was missing, and the states are those that encoding began
  // with.
  Status Finish() const;

 private:
  void Step(const DecodeTable& table, uint32_t* out, uint32_t lanes);
  void Refill(uint32_t& state);

  uint32_t lanes_ = 0;
  std::array<uint32_t, kWideLanes> states_{};
  const uint8_t* next_ = nullptr;
  const uint8_t* end_ = nullptr;
  bool missing_ = false;
};

class LaneEncoder {
 public:
  // Room for `symbols` in all.
  LaneEncoder(size_t symbols, uint32_t lanes);

  // Encodes a run of symbols. Runs come in reverse order: the last of the stream first, and all others have a
  // multiple of `lanes` symbols. REQUIRES: symbols that the table holds
  void Encode(const EncodeTable& table, std::span<const uint32_t> symbols);

  // States and words.
  std::vector<uint8_t> Finish() const;

 private:
  void Step(const EncodeTable& table, const uint32_t* symbols, uint32_t lanes);
  void Emit(uint32_t& state);

  uint32_t lanes_;
  std::array<uint32_t, kWideLanes> states_{};
  size_t capacity_;
  std::unique_ptr<uint8_t[]> buffer_;
  uint8_t* next_;  // words are written before it
};

}  // namespace vqc::rans
