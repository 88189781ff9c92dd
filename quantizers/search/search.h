// SPDX-License-Identifier: Apache-2.0
// The closest codewords of many queries. The answer is that of quantizers/search/metric.h exactly, whatever
// the instruction set, the number of threads and how the queries are split into calls. docs/search.md derives
// why.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <variant>

#include "base/result.h"
#include "quantizers/search/codebook.h"
#include "quantizers/search/isa.h"

namespace vqc {

inline constexpr int kMaxNeighbours = 16;

struct SearchOptions {
  int neighbours = 1;           // k: from 1 to the lesser of kMaxNeighbours and K
  int threads = 1;              // 0: as many as there are cores
  int64_t first_query = 0;      // what messages count the queries from
  std::optional<Isa> isa = {};  // one of SupportedIsas(); the best unless given
};

// Where the results go: row major [N][k], closest first.
using IdSpan = std::variant<std::span<int32_t>, std::span<int64_t>>;
// The metric's values of these ids; float32 are the float64 rounded. monostate: not wanted, which is faster.
using ValueSpan = std::variant<std::monostate, std::span<float>, std::span<double>>;

// Queries are [N, D] with D of the codebook; N = 0 is fine. Memory is O(threads * D) beyond the arguments.
// Errors (kUsage) name the mismatch, or the first row of the queries that holds NaN or infinity; the outputs
// are undefined then.
Status Search(const Codebook& codebook, const Rows& queries, IdSpan ids, ValueSpan values = {},
              const SearchOptions& options = {});

}  // namespace vqc
