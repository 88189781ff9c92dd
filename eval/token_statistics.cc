// SPDX-License-Identifier: Apache-2.0
#include "eval/token_statistics.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace vqc {

Status TokenCounter::Add(const Tokens& tokens) {
  if (vocab_.empty()) {
    vocab_ = tokens.vocab;
    counts_.resize(vocab_.size());
  }
  const size_t levels = vocab_.size();
  if (tokens.vocab != vocab_ || tokens.shape.levels != levels || tokens.ids.size() != tokens.shape.Count()) {
    return Error{ErrorCode::kInternal, "token maps of different models cannot be counted together"};
  }
  for (size_t i = 0; i < tokens.ids.size(); ++i) {
    if (tokens.ids[i] >= vocab_[i % levels])
      return Error{ErrorCode::kInternal, "a token is beyond its vocabulary"};
  }
  for (size_t i = 0; i < tokens.ids.size(); ++i) ++counts_[i % levels][tokens.ids[i]];
  return {};
}

std::vector<uint64_t> TokenCounter::SortedCounts(size_t level) const {
  std::vector<uint64_t> counts;
  for (const auto& [id, count] : counts_[level]) counts.push_back(count);
  std::sort(counts.begin(), counts.end(), std::greater<>());
  return counts;
}

std::vector<LevelStatistics> TokenCounter::Levels() const {
  std::vector<LevelStatistics> levels;
  for (size_t level = 0; level < vocab_.size(); ++level) {
    LevelStatistics statistics;
    statistics.vocab = vocab_[level];
    const std::vector<uint64_t> counts = SortedCounts(level);  // a fixed order of summation
    for (const uint64_t count : counts) statistics.tokens += count;
    const auto total = static_cast<double>(statistics.tokens), vocab = static_cast<double>(vocab_[level]);
    for (const uint64_t count : counts) {
      const double share = static_cast<double>(count) / total;
      statistics.entropy -= share * std::log2(share);
    }
    statistics.entropy = std::max(statistics.entropy, 0.0);  // not -0
    statistics.used = counts.size();
    statistics.usage = static_cast<double>(counts.size()) / vocab;
    statistics.usage_bound = std::min(vocab, total) / vocab;
    statistics.perplexity = std::exp2(statistics.entropy);
    statistics.bits_raw = std::log2(vocab);
    levels.push_back(statistics);
  }
  return levels;
}

}  // namespace vqc
