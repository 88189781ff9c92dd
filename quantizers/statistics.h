// SPDX-License-Identifier: Apache-2.0
// How well a codebook is used, from how often each id occurred.
#pragma once

#include <cstdint>
#include <span>

#include "quantizers/search/rows.h"

namespace vqc {

struct CodeStatistics {
  uint64_t vocab = 0;   // K
  uint64_t tokens = 0;  // n
  uint64_t used = 0;    // ids that occurred
  double usage = 0;     // used / K
  // What usage n tokens would give if all ids were equally likely: 1 - exp(-n / K) but exact, 1 - (1 -
  // 1/K)^n. Few tokens cannot show that a large codebook is used, so usage is to be read beside it.
  double usage_bound = 0;
  double entropy = 0;             // of the ids in bits: -sum p log2 p
  double normalized_entropy = 0;  // entropy / log2 K; 1 for K = 1
  double perplexity = 0;          // 2^entropy, from 1 to K; 0 without tokens
};

// counts[k]: tokens with id k.
CodeStatistics StatisticsOf(std::span<const int64_t> counts);

// Euclidean lengths of codewords. Zeros for no rows.
struct NormStatistics {
  double least = 0, mean = 0, greatest = 0;
};
NormStatistics NormsOf(const Rows& codewords);

}  // namespace vqc
