// SPDX-License-Identifier: Apache-2.0
#include "quantizers/search/search.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <mutex>
#include <string>

#include "base/guard.h"
#include "base/parallel.h"
#include "quantizers/search/chunk_search.h"
#include "quantizers/search/nearest_list.h"
#include "quantizers/search/packed_codebook.h"
#include "quantizers/search/search_output.h"

namespace vqc {
namespace {

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

Status CheckFinite(const Rows& queries, int64_t begin) {
  for (int64_t i = 0; i < queries.rows; ++i) {
    for (int64_t d = 0; d < queries.cols; ++d) {
      if (!std::isfinite(queries.Row(i)[d])) return NotFinite(queries, i, begin);
    }
  }
  return {};
}

Status SearchSpecification(const PackedCodebook& codebook, const Rows& queries, int64_t begin,
                           const SearchOutput& output) {
  VQC_TRY(CheckFinite(queries, begin + output.first_query()));
  NearestList nearest(codebook.metric, output.neighbours());
  for (int64_t i = 0; i < queries.rows; ++i) {
    nearest.Clear();
    for (int64_t j = 0; j < codebook.size; ++j) {
      nearest.Offer(MetricValue(codebook.metric, queries.Row(i), codebook.Row(j), codebook.dim), j);
    }
    output.Write(begin + i, nearest);
  }
  return {};
}

// Workers take chunks in rising order and stop at their first error, so all chunks below a failed one are
// looked at, and the first row that is wrong is found whatever the number of workers.
class Workers {
 public:
  Workers(const PackedCodebook& codebook, const Rows& queries, const SearchOutput& output, Isa isa,
          int threads)
      : codebook_(codebook), queries_(queries), output_(output), isa_(isa) {
    const int64_t fair = (queries.rows + threads - 1) / threads;
    chunk_ = std::min(ChunkSearch::ChunkSize(codebook), (fair + kBlock - 1) / kBlock * kBlock);
  }

  int64_t chunks() const { return queries_.rows == 0 ? 0 : (queries_.rows + chunk_ - 1) / chunk_; }

  Status Work() {
    std::optional<ChunkSearch> search;
    if (isa_ != Isa::kSpecification) search.emplace(codebook_, KernelsOf(isa_), output_, chunk_);
    while (!failed_) {
      const int64_t begin = next_++ * chunk_;
      if (begin >= queries_.rows) break;
      const Rows slice = queries_.Slice(begin, std::min(chunk_, queries_.rows - begin));
      const Status status =
          search ? search->Run(slice, begin) : SearchSpecification(codebook_, slice, begin, output_);
      if (!status.ok()) Fail(begin, status);
    }
    return {};
  }

  const Status& status() const { return status_; }

 private:
  void Fail(int64_t begin, const Status& status) {
    const std::lock_guard lock(mutex_);
    failed_ = true;
    if (status_.ok() || begin < first_failed_) {
      first_failed_ = begin;
      status_ = status;
    }
  }

  const PackedCodebook& codebook_;
  const Rows& queries_;
  const SearchOutput& output_;
  const Isa isa_;
  int64_t chunk_ = 0, first_failed_ = 0;
  std::atomic<int64_t> next_{0};
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  Status status_;
};

}  // namespace

Status Search(const Codebook& codebook, const Rows& queries, IdSpan ids, ValueSpan values,
              const SearchOptions& options) {
  const SearchOutput output(ids, values, options.neighbours, options.first_query);
  VQC_TRY(CheckArguments(codebook, queries, output, options));
  const int threads = options.threads > 0 ? options.threads : CoreCount();
  Workers workers(codebook.packed(), queries, output, options.isa.value_or(BestIsa()), threads);
  const auto count = static_cast<size_t>(std::min<int64_t>(threads, workers.chunks()));
  return Guard("search", [&]() -> Status {
    VQC_TRY(ParallelFor(count, threads, [&](size_t) { return workers.Work(); }));
    return workers.status();
  });
}

}  // namespace vqc
