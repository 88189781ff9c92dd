// SPDX-License-Identifier: Apache-2.0
// Tables that follow from the symbols before: nothing of them is stored.
//
// Symbols come in blocks. The first has 256; one that begins after n symbols has n / 4, rounded down to a
// multiple of 32, but at least 256 and at most 2^18; the last one is as long as there are symbols. A block's
// table is SplitBands over the counts of all symbols before it, unseen ones too, each weighing 4 * count + 1,
// with an evenness of 7 and 12 coarse bits.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "entropy/rans/band_split.h"

namespace vqc {

constexpr size_t BlockSizeAfter(size_t symbols) {
  return std::clamp<size_t>(symbols / 4 / 32 * 32, 256, size_t{1} << 18);
}

inline rans::BandTable TableAfter(std::span<const uint32_t> counts) {
  constexpr uint32_t kEvenness = 7, kCoarseBits = 12;
  return rans::SplitBands(counts, rans::ByFallingCount(counts, true), {4, 1}, kEvenness, kCoarseBits);
}

}  // namespace vqc
