// SPDX-License-Identifier: Apache-2.0
#include "quantizers/search/search.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/guard.h"
#include "base/parallel.h"
#include "quantizers/search/nearest_list.h"
#include "quantizers/search/packed_codebook.h"
#include "quantizers/search/search_output.h"

namespace vqc {
namespace {

constexpr int64_t kChunk = 512;  // queries that one thread takes at a time

Status CheckFinite(const Rows& queries, int64_t begin) {
  for (int64_t i = 0; i < queries.rows; ++i) {
    for (int64_t d = 0; d < queries.cols; ++d) {
      if (std::isfinite(queries.Row(i)[d])) continue;
      return Error{ErrorCode::kUsage, "search: query " + std::to_string(begin + i) + " holds " +
                                          (std::isnan(queries.Row(i)[d]) ? "NaN" : "infinity") +
                                          " at position " + std::to_string(d) + "; values must be finite"};
    }
  }
  return {};
}

Status CheckArguments(const Codebook& codebook, const Rows& queries, const SearchOutput& output,
                      const SearchOptions& options) {
  const int64_t most = std::min<int64_t>(kMaxNeighbours, codebook.size());
  if (options.neighbours < 1 || options.neighbours > most) {
    return Error{ErrorCode::kUsage, "search: " + std::to_string(options.neighbours) +
                                        " neighbours are asked for; from 1 to " + std::to_string(most) +
                                        " are allowed in a codebook of " + std::to_string(codebook.size())};
  }
  if (queries.rows < 0 || queries.cols != codebook.dim() || queries.stride < queries.cols) {
    return Error{ErrorCode::kUsage, "search: the queries are " + std::to_string(queries.rows) + " rows of " +
                                        std::to_string(queries.cols) + " values, " +
                                        std::to_string(queries.stride) + " apart; the codebook has rows of " +
                                        std::to_string(codebook.dim())};
  }
  VQC_TRY(output.CheckSize(queries.rows));
  const auto isas = SupportedIsas();
  if (options.isa && std::find(isas.begin(), isas.end(), *options.isa) == isas.end()) {
    return Error{ErrorCode::kUsage,
                 "search: this processor or build has no " + std::string(NameOf(*options.isa)) + " kernels"};
  }
  return {};
}

void SearchSpecification(const PackedCodebook& codebook, const Rows& queries, int64_t begin,
                         const SearchOutput& output) {
  NearestList nearest(codebook.metric, output.neighbours());
  for (int64_t i = 0; i < queries.rows; ++i) {
    nearest.Clear();
    for (int64_t j = 0; j < codebook.size; ++j) {
      nearest.Offer(MetricValue(codebook.metric, queries.Row(i), codebook.Row(j), codebook.dim), j);
    }
    output.Write(begin + i, nearest);
  }
}

}  // namespace

Status Search(const Codebook& codebook, const Rows& queries, IdSpan ids, ValueSpan values,
              const SearchOptions& options) {
  const SearchOutput output(ids, values, options.neighbours);
  VQC_TRY(CheckArguments(codebook, queries, output, options));
  const auto chunks = static_cast<size_t>((queries.rows + kChunk - 1) / kChunk);
  return Guard("search", [&] {
    return ParallelFor(chunks, options.threads == 0 ? CoreCount() : options.threads,
                       [&](size_t chunk) -> Status {
                         const int64_t begin = static_cast<int64_t>(chunk) * kChunk;
                         const Rows slice = queries.Slice(begin, std::min(kChunk, queries.rows - begin));
                         VQC_TRY(CheckFinite(slice, begin));
                         SearchSpecification(codebook.packed(), slice, begin, output);
                         return {};
                       });
  });
}

}  // namespace vqc
