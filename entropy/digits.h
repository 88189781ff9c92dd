// SPDX-License-Identifier: Apache-2.0
// Digits: how the ids of a level split into small alphabets.
//
// A level's id is written in the mixed radix of its factors (first factor least significant). A factor above
// 16, and a vocabulary without factors, is split further into base-16 digits, coded from the most significant
// down, so that any number works: where the digits above are at their end, the alphabet ends early. Before
// the last factor none may end early.
//   FSQ {8, 8, 8, 5, 5, 5}: six digits.   1000 without factors: 4 * 16 * 16, digit 0 (0..3), 1 (0..15 or
//   0..14 after 3), 2 (0..15 or 0..7 after 3, 14).
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"

namespace vqc {

constexpr uint32_t kMaxRadix = 16;
constexpr uint32_t kMaxDigits = 20;  // of one level: 2^20 in factors of 2
constexpr uint32_t kMaxVocab = 1u << 20;
constexpr uint32_t kMaxTokenLevels = 64;

struct Digit {
  uint32_t divisor;  // value = id / divisor % radix
  uint32_t radix;    // 2 .. 16
  uint32_t factor;   // the factor that this digit is part of
  uint32_t unit;     // weight inside the factor; 1 for the last digit of a factor
  bool top;          // first digit of its factor
  bool operator==(const Digit&) const = default;
};

// In coding order. One entry per level.
using DigitPlan = std::vector<std::vector<Digit>>;

// Whether `plan` is that of the first levels of `whole`.
inline bool BeginsWith(const DigitPlan& whole, const DigitPlan& plan) {
  return plan.size() <= whole.size() && std::equal(plan.begin(), plan.end(), whole.begin());
}

// Mixed-radix digits: first digit least significant; empty for a generic split of that level. No levels at
// all means a generic split of every level.
using Factors = std::vector<std::vector<uint32_t>>;

// Tokens may have fewer levels than there are factors: the first ones. kModel when the factors do not fit the
// vocabulary or each other, or the alphabets are beyond what is supported.
Result<DigitPlan> MakeDigitPlan(const Factors& factors, std::span<const uint32_t> vocab);

// How many values the digit can still have after the digits above it in its factor, whose part of the
// factor's value is `above`. REQUIRES: above is a multiple of unit * radix and below factor
constexpr uint32_t AlphabetOf(const Digit& digit, uint32_t above) {
  const uint32_t left = (digit.factor - above + digit.unit - 1) / digit.unit;
  return left < digit.radix ? left : digit.radix;
}

}  // namespace vqc
