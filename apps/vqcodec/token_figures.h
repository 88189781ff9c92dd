// SPDX-License-Identifier: Apache-2.0
// How a set of token maps uses its codebooks, for machines and for people.
#pragma once

#include <string>
#include <vector>

#include "apps/vqcodec/batch.h"
#include "eval/token_statistics.h"

namespace vqc {

// An object a level: codebook_size, tokens, used, usage, usage_bound, entropy, perplexity, bits_raw.
Json LevelsRecord(const TokenCounter& counter);

// [rank, times] of the counts, most frequent first; beyond rank 50 a part of them, for a plot.
Json CountsRecord(const std::vector<uint64_t>& counts);

// A line a level of what LevelsRecord gave.
std::string LevelsText(const Json& levels);

}  // namespace vqc
