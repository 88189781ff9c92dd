// SPDX-License-Identifier: Apache-2.0
// FrequencyTable: a distribution over symbols 0 .. n-1 in units of 2^-24. No symbol has size 0, so that
// every symbol can be coded whatever the model believes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"

namespace vqc {

constexpr int kTableBits = 24;
constexpr uint32_t kTableTotal = 1u << kTableBits;
constexpr uint32_t kMaxAlphabet = 1u << 20;

// Of [0, 2^24); size is never 0.
struct Interval {
  uint32_t start, size;
  bool operator==(const Interval&) const = default;
};

class FrequencyTable {
 public:
  FrequencyTable() : starts_{0, kTableTotal} {}  // one symbol, which costs nothing

  // Sizes in proportion to `counts`, rounded down, and at least 1; what is left over goes to the largest.
  // Error kInternal: no counts, or more than kMaxAlphabet.
  static Result<FrequencyTable> FromCounts(std::span<const uint64_t> counts);

  // REQUIRES: starts[0] == 0, strictly increasing, starts.back() == kTableTotal
  void Assign(std::span<const uint32_t> starts) { starts_.assign(starts.begin(), starts.end()); }

  uint32_t Size() const { return static_cast<uint32_t>(starts_.size()) - 1; }

  // REQUIRES: symbol < Size()
  Interval Of(uint32_t symbol) const { return {starts_[symbol], starts_[symbol + 1] - starts_[symbol]}; }

  // REQUIRES: quantile < kTableTotal
  uint32_t SymbolAt(uint32_t quantile) const;

 private:
  std::vector<uint32_t> starts_;  // Size() + 1 entries, the last is kTableTotal
};

}  // namespace vqc
