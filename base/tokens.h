// SPDX-License-Identifier: Apache-2.0
// Tokens: the discrete form of a clip.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace vqc {

struct TokenShape {
  uint32_t levels = 1, t = 1, h = 1, w = 1;

  size_t Positions() const { return size_t{t} * h * w; }
  size_t Count() const { return Positions() * levels; }
  bool operator==(const TokenShape&) const = default;
};

// Tokens of a tokenizer that cuts sound into segments (tokenizers/segment_plan.h): how many times a segment
// has, and what its samples were divided by, above 0.
struct Segment {
  uint32_t times = 0;
  float scale = 1;

  bool operator==(const Segment&) const = default;
};

// ids[((i * h + y) * w + x) * levels + level] < vocab[level]; time outermost, so that chunks append.
struct Tokens {
  TokenShape shape;
  std::vector<uint32_t> vocab;  // one entry per level
  std::vector<uint32_t> ids;
  std::vector<Segment> segments = {};  // whole ones that the times are of, in order; none of other tokenizers

  bool operator==(const Tokens&) const = default;
};

}  // namespace vqc
