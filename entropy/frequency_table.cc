// SPDX-License-Identifier: Apache-2.0
#include "entropy/frequency_table.h"

#include <algorithm>
#include <string>

namespace vqc {
namespace {

constexpr uint64_t kMaxTotal = 1ull << 39;

}  // namespace

Result<FrequencyTable> FrequencyTable::FromCounts(std::span<const uint64_t> counts) {
  if (counts.empty() || counts.size() > kMaxAlphabet) {
    return Error{ErrorCode::kInternal, "a frequency table of " + std::to_string(counts.size()) +
                                           " symbols was asked for, allowed are 1 to " +
                                           std::to_string(kMaxAlphabet)};
  }
  // Counts are halved until their sum times 2^24 fits 64 bits. Below 2^39 each, 2^20 of them cannot overflow.
  const uint64_t largest = *std::max_element(counts.begin(), counts.end());
  const auto sum = [&](int shift) {
    uint64_t total = 0;
    for (const uint64_t count : counts) total += count >> shift;
    return total;
  };
  int shift = 0;
  while ((largest >> shift) >= kMaxTotal || sum(shift) >= kMaxTotal) ++shift;
  const uint64_t total = sum(shift);

  const uint64_t n = counts.size(), spare = kTableTotal - n;
  std::vector<uint32_t> sizes(n);
  uint32_t left_over = kTableTotal;
  size_t heaviest = 0;
  for (size_t i = 0; i < n; ++i) {
    // Nothing known: equal shares.
    const uint64_t share = total > 0 ? (counts[i] >> shift) * spare / total : spare / n;
    sizes[i] = static_cast<uint32_t>(1 + share);
    left_over -= sizes[i];
    if (counts[i] > counts[heaviest]) heaviest = i;
  }
  sizes[heaviest] += left_over;

  FrequencyTable table;
  table.starts_.resize(counts.size() + 1);
  uint32_t start = 0;
  for (size_t i = 0; i < sizes.size(); ++i) {
    table.starts_[i] = start;
    start += sizes[i];
  }
  table.starts_.back() = kTableTotal;
  return table;
}

uint32_t FrequencyTable::SymbolAt(uint32_t quantile) const {
  const auto after = std::upper_bound(starts_.begin(), starts_.end() - 1, quantile);
  return static_cast<uint32_t>(after - starts_.begin()) - 1;
}

}  // namespace vqc
