// SPDX-License-Identifier: Apache-2.0
// What a card says about its tokenizer's grid, for whoever must not load the network.
//
// Every tokenizer's config may hold these integers beside its own: "stride", "receptive_field", "tile",
// "halo" (see TokenizerInfo). LoadBundle refuses a card whose integers are not those of its network.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/tokens.h"
#include "models/card.h"

namespace vqc {

struct TokenizerOutline {
  int stride = 1;
  int receptive_field = 0, tile = 0, halo = 0;  // 0 where the card does not say
};

// nullopt: the card does not say (or says something absurd), so that the network has to be asked.
std::optional<TokenizerOutline> OutlineOf(const ModelCard& card);

// One entry per level: the product of the level's digits. REQUIRES: the products fit, as ReadCard checks.
std::vector<uint32_t> VocabOf(const ModelCard& card);

// The token grid of an image: one position per started stride x stride cell.
TokenShape ImageShape(size_t levels, int stride, uint32_t height, uint32_t width);

}  // namespace vqc
