// SPDX-License-Identifier: Apache-2.0
// What a card says about its tokenizer's grid, for whoever must not load the network.
//
// The config of a card may hold, beside the tokenizer's own fields, "stride", "receptive_field", "tile",
// "halo", "vocab" and, of sound, "rate", also within "network", "channels" and, of segments, "segment" and
// "hop" in samples (see TokenizerInfo). LoadBundle refuses a card where they are not those of its network.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/tokens.h"
#include "models/card.h"
#include "tokenizers/segment_plan.h"

namespace vqc {

struct TokenizerOutline {
  int stride = 1;
  int receptive_field = 0, tile = 0, halo = 0;  // 0 where the card does not say
  int rate = 0;                                 // of sound, samples a second; 0 as above
  int channels = 1;                             // see TokenizerInfo
  SegmentPlan segments;
  std::vector<uint32_t> vocab;  // one entry per level
};

// nullopt: the card does not say (or says something absurd), so that the network has to be asked.
std::optional<TokenizerOutline> OutlineOf(const ModelCard& card);

// One entry per level, as stated or as the factors multiply to; empty where the card does not say.
std::vector<uint32_t> VocabOf(const ModelCard& card);

// The token grid of an image: one position per started stride x stride cell.
TokenShape ImageShape(size_t levels, int stride, uint32_t height, uint32_t width);

}  // namespace vqc
