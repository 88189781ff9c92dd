// SPDX-License-Identifier: Apache-2.0
#include "quantizers/statistics.h"

#include <algorithm>
#include <cmath>

namespace vqc {

CodeStatistics StatisticsOf(std::span<const int64_t> counts) {
  CodeStatistics s;
  s.vocab = counts.size();
  for (const int64_t count : counts) {
    s.tokens += static_cast<uint64_t>(count);
    s.used += count > 0;
  }
  if (s.vocab == 0 || s.tokens == 0) return s;
  const auto vocab = static_cast<double>(s.vocab), tokens = static_cast<double>(s.tokens);
  for (const int64_t count : counts) {
    if (count == 0) continue;
    const double p = static_cast<double>(count) / tokens;
    s.entropy -= p * std::log2(p);
  }
  s.entropy = std::max(0.0, s.entropy);  // not -0
  s.usage = static_cast<double>(s.used) / vocab;
  s.usage_bound = s.vocab == 1 ? 1 : -std::expm1(tokens * std::log1p(-1 / vocab));
  s.normalized_entropy = s.vocab == 1 ? 1 : s.entropy / std::log2(vocab);
  s.perplexity = std::exp2(s.entropy);
  return s;
}

NormStatistics NormsOf(const Rows& codewords) {
  NormStatistics s;
  for (int64_t i = 0; i < codewords.rows; ++i) {
    double square = 0;
    for (int64_t d = 0; d < codewords.cols; ++d) {
      square += static_cast<double>(codewords.Row(i)[d]) * codewords.Row(i)[d];
    }
    const double norm = std::sqrt(square);
    s.least = i == 0 ? norm : std::min(s.least, norm);
    s.greatest = std::max(s.greatest, norm);
    s.mean += (norm - s.mean) / static_cast<double>(i + 1);
  }
  return s;
}

}  // namespace vqc
