// SPDX-License-Identifier: Apache-2.0
// From counts to band tables, in integers: equal counts give equal tables on every machine.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "entropy/rans/band_table.h"

namespace vqc::rans {

// The symbols 0 .. counts.size() - 1 by falling count, equal counts by rising symbol; `unseen`: with those of
// count 0.
std::vector<uint32_t> ByFallingCount(std::span<const uint32_t> counts, bool unseen);

// Frequencies that sum to 2^bits, in proportion to `weights`: 1 + floor(weight * (2^bits - n) / sum), and
// what is left goes to the largest weight, the first of equal ones. REQUIRES: 1 <= n <= 2^bits, a sum of 1 to
// 2^47
std::vector<uint32_t> ScaleTo(std::span<const uint64_t> weights, uint32_t bits);

// What a symbol weighs: scale * count + add.
struct Weighing {
  uint32_t scale = 1, add = 0;
  uint64_t Of(uint32_t count) const { return uint64_t{scale} * count + add; }
};

// Cuts `order` into bands, each as large as it can be: a power of two of symbols, at most 2^15, where the
// first weighs at most (evenness + 1) / evenness times what the last one does. Where that makes more than
// 4096 bands, evenness is halved. Symbols rise inside a band. Frequencies are of the sums, by ScaleTo; a
// single band has coarse_bits 0. REQUIRES: `order` as ByFallingCount gives it, not empty, weights of 1 to
// 2^27, evenness >= 1, coarse_bits >= 12.
BandTable SplitBands(std::span<const uint32_t> counts, std::vector<uint32_t> order, Weighing weighing,
                     uint32_t evenness, uint32_t coarse_bits);

// log2(value) in units of 2^-16, rounded down. REQUIRES: value > 0
uint64_t Log2Fixed(uint64_t value);

}  // namespace vqc::rans
