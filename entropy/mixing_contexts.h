// SPDX-License-Identifier: Apache-2.0
// Contexts: the views of the tokens before a digit under which "mixing" keeps statistics.
#pragma once

#include <array>
#include <cstdint>

#include "entropy/digits.h"
#include "entropy/sequential_prior.h"

namespace vqc {

constexpr int kTrainedContexts = 18;  // statistics start as trained
constexpr int kFreshContexts = 6;     // statistics start empty with each chunk
constexpr int kContexts = kTrainedContexts + kFreshContexts;

// value < range, both a mixed-radix product of what was added.
struct ContextKey {
  uint64_t value = 0, range = 1;

  constexpr void Add(uint32_t digit, uint32_t radix) {
    value = value * radix + digit;
    range = range > (UINT64_MAX >> 8) ? UINT64_MAX : range * radix;
  }
};

// A step at (level, digit) of which nothing else is known: for the ranges of ContextsOf.
Step RangeStep(uint32_t level, uint32_t digit);

// Ranges depend on the level and the digit of the step alone. The fresh contexts come last.
std::array<ContextKey, kContexts> ContextsOf(const DigitPlan& plan, const Step& step);

}  // namespace vqc
