// SPDX-License-Identifier: Apache-2.0
// How a set of token maps uses its codebooks: counted over all maps together, each level for itself.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/tokens.h"

namespace vqc {

struct LevelStatistics {
  uint32_t vocab = 0;
  uint64_t tokens = 0;     // counted
  uint64_t used = 0;       // different ids among them
  double usage = 0;        // used / vocab
  double usage_bound = 0;  // what usage could be at most with so few tokens: min(vocab, tokens) / vocab
  double entropy = 0;      // bits a token, of the frequencies (order 0); at most log2(min(vocab, tokens))
  double perplexity = 0;   // 2^entropy
  double bits_raw = 0;     // log2(vocab)
};

class TokenCounter {
 public:
  // kInternal where the levels or vocabularies are not those of the first map, or an id is beyond its own.
  Status Add(const Tokens& tokens);

  // One entry a level; none before the first map. Does not depend on the order of the maps.
  std::vector<LevelStatistics> Levels() const;

  // How often each used id of a level came, most often first.
  std::vector<uint64_t> SortedCounts(size_t level) const;

 private:
  std::vector<uint32_t> vocab_;
  std::vector<std::unordered_map<uint32_t, uint64_t>>
      counts_;  // [level]: id -> times; memory as used, not vocab
};

}  // namespace vqc
