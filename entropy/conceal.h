// SPDX-License-Identifier: Apache-2.0
// Fills tokens that were lost.
#pragma once

#include <cstdint>
#include <span>

#include "base/tokens.h"

namespace vqc {

// Every lost token becomes a copy of the nearest known one of its time and level (steps up, down, left and
// right; of equal ones the first in raster order), else of the same place at the time before, else the middle
// of its vocabulary. What any prior can do. `lost` has an entry a token, not 0 where it is lost. REQUIRES:
// lost.size() == tokens.ids.size() == tokens.shape.Count()
void RepeatNeighbours(Tokens& tokens, std::span<const uint8_t> lost);

}  // namespace vqc
