// SPDX-License-Identifier: Apache-2.0
// Tokens as repetitions of their neighbours or, where they are none, under tables of the blocks before.
//
// In raster order, levels innermost. The values of the listed neighbours that exist, are below the vocabulary
// of the level and differ from those before them in the list are candidates: for each, an event tells whether
// it is the token. Where none is, its band and its place in the band follow, by the level's table over the
// tokens that were coded so (entropy/blockwise_tables.h; a table holds for a block of those).
//
// How likely a candidate is, is learned apart for each context: its number among the listed (8), how many
// listed neighbours after it have its value, up to 2 (3), whether the level's token before repeated a
// neighbour (2), and how frequent its value was when the table was built (13: the number of bits of 4096 *
// count / total).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/tokens.h"

namespace vqc {

enum class Match : uint8_t {
  kLeft,
  kUp,
  kUpLeft,
  kUpRight,
  kBefore,      // the same place at the time before
  kLevelAbove,  // the same place in the level before
  kTwoBefore,   // the same place two times before
  kTwoLeft,
};
constexpr size_t kMatches = 8;

struct Place {
  uint32_t t = 0, y = 0, x = 0, level = 0;
  void Advance(const TokenShape& shape);  // in raster order, levels innermost
};

// How many tokens before the one at `place` its neighbour is; 0 where there is none.
size_t DistanceOf(Match neighbour, const Place& place, const TokenShape& shape);

// Segments of 2^16 tokens, each a size (varint) and the bytes of entropy/rans/serial.h.
// REQUIRES: CheckTokens, vocabularies of 1 to 2^20; `list` names each neighbour at most once
std::vector<uint8_t> EncodeMatches(const Tokens& tokens, std::span<const Match> list);
// Fills ids of `tokens`, whose shape and vocabularies are set and whose ids have their size.
Status DecodeMatches(std::span<const uint8_t> bytes, std::span<const Match> list, Tokens& tokens);

}  // namespace vqc
