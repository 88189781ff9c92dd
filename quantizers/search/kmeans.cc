// SPDX-License-Identifier: Apache-2.0
#include "quantizers/search/kmeans.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/guard.h"
#include "base/parallel.h"
#include "quantizers/search/cluster_sums.h"
#include "quantizers/search/draw_rows.h"
#include "quantizers/search/kmeans_init.h"
#include "quantizers/search/search.h"

namespace vqc {
namespace {

constexpr int64_t kSlab = 1 << 16;              // rows that are assigned and summed at a time
constexpr double kSlack = 0.1, kHeadStart = 4;  // of balanced clusters: above the mean size, and rows
constexpr int64_t kMaxMoved = 1 << 14;          // empty clusters that one pass can move

Error Usage(const std::string& message) { return {ErrorCode::kUsage, "k-means: " + message}; }

Status Check(const Rows& rows, const KMeansOptions& options) {
  if (rows.cols < 1 || rows.cols > kMaxSearchDim || rows.stride < rows.cols) {
    return Usage("the rows have " + std::to_string(rows.cols) + " values; from 1 to " +
                 std::to_string(kMaxSearchDim) + " are allowed");
  }
  if (options.clusters < 1 || options.clusters > kMaxCodewords) {
    return Usage(std::to_string(options.clusters) + " clusters are asked for; from 1 to " +
                 std::to_string(kMaxCodewords) + " are allowed");
  }
  if (options.clusters > rows.rows) {
    return Usage(std::to_string(options.clusters) + " clusters are asked for, but there are " +
                 std::to_string(rows.rows) + " rows; ask for fewer");
  }
  if (options.passes < 0 || options.batch < 0 || !(options.tolerance >= 0)) {
    return Usage("passes, batch and tolerance must not be negative");
  }
  return {};
}

// Gives rows their clusters, in the order of the rows.
class Assigner {
 public:
  static Result<Assigner> Make(const KMeansState& state, int64_t dim, const KMeansOptions& options) {
    const auto clusters = static_cast<int64_t>(state.counts.size());
    VQC_ASSIGN(Codebook codebook, Codebook::Make({state.centres.data(), clusters, dim}));
    return Assigner(std::move(codebook), options);
  }

  // first: the number of the first row, for messages.
  Status Run(const Rows& rows, int64_t first, std::span<int32_t> ids) {
    if (!balanced_) return Search(codebook_, rows, ids, {}, {.threads = threads_, .first_query = first});
    const auto near = static_cast<int>(std::min<int64_t>(kMaxNeighbours, codebook_.size()));
    near_.resize(static_cast<size_t>(rows.rows * near));
    VQC_TRY(Search(codebook_, rows, std::span(near_), {},
                   {.neighbours = near, .threads = threads_, .first_query = first}));
    for (size_t i = 0; i < ids.size(); ++i) {
      ids[i] = WithRoom(std::span(near_).subspan(i * static_cast<size_t>(near), static_cast<size_t>(near)));
    }
    return {};
  }

 private:
  Assigner(Codebook codebook, const KMeansOptions& options)
      : codebook_(std::move(codebook)),
        balanced_(options.balanced),
        threads_(options.threads),
        taken_(balanced_ ? static_cast<size_t>(codebook_.size()) : 0) {}

  // The first of the clusters that has room, which grows with the rows that came; where none has, the one
  // that took the fewest.
  int32_t WithRoom(std::span<const int32_t> near) {
    const double room = ++rows_ / static_cast<double>(taken_.size()) * (1 + kSlack) + kHeadStart;
    const auto taken = [&](int32_t id) -> int64_t& { return taken_[static_cast<size_t>(id)]; };
    int32_t chosen = near[0];
    for (const int32_t id : near) {
      if (static_cast<double>(taken(id)) < room) {
        chosen = id;
        break;
      }
      if (taken(id) < taken(chosen)) chosen = id;
    }
    ++taken(chosen);
    return chosen;
  }

  Codebook codebook_;
  bool balanced_;
  int threads_;
  double rows_ = 0;
  std::vector<int64_t> taken_;
  std::vector<int32_t> near_;
};

}  // namespace

Result<KMeans> KMeans::Start(const Rows& rows, KMeansOptions options) {
  VQC_TRY(Check(rows, options));
  return Guard("k-means", [&]() -> Result<KMeans> {
    KMeansState state;
    VQC_ASSIGN(state.centres, FirstCentres(rows, options));
    state.counts.resize(static_cast<size_t>(options.clusters));
    return Resume(rows, std::move(options), std::move(state));
  });
}

Result<KMeans> KMeans::Resume(const Rows& rows, KMeansOptions options, KMeansState state) {
  VQC_TRY(Check(rows, options));
  const auto clusters = static_cast<size_t>(options.clusters);
  if (state.centres.size() != clusters * static_cast<size_t>(rows.cols) || state.counts.size() != clusters ||
      state.passes < 0) {
    return Usage("the state to go on from is of " + std::to_string(state.counts.size()) +
                 " clusters or of other rows; " + std::to_string(clusters) + " clusters of rows of " +
                 std::to_string(rows.cols) + " values are asked for");
  }
  const auto bad = [](double value) { return !(std::isfinite(value) && value >= 0); };
  if (std::any_of(state.counts.begin(), state.counts.end(), bad) || bad(state.inertia)) {
    return Usage("the state to go on from holds values that no run leaves; start anew");
  }
  if (options.threads <= 0) options.threads = CoreCount();
  return KMeans(rows, std::move(options), std::move(state));
}

Status KMeans::Pass() {
  if (Done()) return {};
  return Guard("k-means", [&] { return options_.batch > 0 ? BatchPass() : LloydPass(); });
}

// One pass over the rows: which clusters they belong to, and the sums that the next centres come from.
struct KMeans::Tally {
  Tally(const KMeans& run)
      : sums(run.options_.clusters, run.rows_.cols),
        far(std::min(run.options_.clusters, kMaxMoved),
            HashRandom(run.options_.seed, StreamOf(Draw::kEmpty, run.state_.passes))) {}

  // numbers: which rows these are; null: first, first + 1, ...
  Status Add(const KMeans& run, Assigner& assigner, const Rows& rows, int64_t first, const int64_t* numbers) {
    ids.resize(static_cast<size_t>(rows.rows));
    distances.resize(ids.size());
    VQC_TRY(assigner.Run(rows, first, ids));
    sums.Add(rows, ids, run.options_.threads);
    SquaredDistances(rows, ids, run.state_.centres.data(), run.options_.threads, distances);
    for (size_t i = 0; i < ids.size(); ++i) {
      inertia += distances[i];
      far.Offer(numbers ? numbers[i] : first + static_cast<int64_t>(i), distances[i]);
    }
    return {};
  }

  ClusterSums sums;
  WeightedDraw far;  // where empty clusters are moved to
  double inertia = 0;
  std::vector<int32_t> ids;
  std::vector<double> distances;
};

Status KMeans::LloydPass() {
  VQC_ASSIGN(Assigner assigner, Assigner::Make(state_, rows_.cols, options_));
  Tally tally(*this);
  for (int64_t begin = 0; begin < rows_.rows; begin += kSlab) {
    const Rows slab = rows_.Slice(begin, std::min(kSlab, rows_.rows - begin));
    VQC_TRY(tally.Add(*this, assigner, slab, begin, nullptr));
    if (options_.progress) options_.progress(begin + slab.rows);
  }
  state_.counts = tally.sums.counts();
  for (int64_t k = 0; k < options_.clusters; ++k) {
    if (tally.sums.Count(k) == 0) continue;
    const auto sum = tally.sums.Sum(k);
    for (int64_t d = 0; d < rows_.cols; ++d) {
      state_.centres[static_cast<size_t>(k * rows_.cols + d)] =
          static_cast<float>(sum[static_cast<size_t>(d)] / tally.sums.Count(k));
    }
  }
  return EndPass(tally, tally.sums.counts());
}

Status KMeans::BatchPass() {
  Tally tally(*this);
  std::vector<double> seen(static_cast<size_t>(options_.clusters));
  const int64_t batch = std::min(options_.batch, rows_.rows);
  const HashRandom random(options_.seed, StreamOf(Draw::kBatch, state_.passes));
  std::vector<int64_t> numbers(static_cast<size_t>(batch));
  for (int64_t begin = 0; begin < rows_.rows; begin += batch) {
    VQC_ASSIGN(Assigner assigner, Assigner::Make(state_, rows_.cols, options_));
    for (int64_t i = 0; i < batch; ++i) {
      numbers[static_cast<size_t>(i)] = random.Below(static_cast<uint64_t>(begin + i), rows_.rows);
    }
    std::sort(numbers.begin(), numbers.end());
    VQC_ASSIGN(const std::vector<float> some, Gather(rows_, numbers));
    tally.sums.Clear();
    VQC_TRY(tally.Add(*this, assigner, {some.data(), batch, rows_.cols}, 0, numbers.data()));
    for (int64_t k = 0; k < options_.clusters; ++k) {
      const double added = tally.sums.Count(k);
      if (added == 0) continue;
      seen[static_cast<size_t>(k)] += added;
      const double all = state_.counts[static_cast<size_t>(k)] += added;
      const auto sum = tally.sums.Sum(k);
      for (int64_t d = 0; d < rows_.cols; ++d) {
        float& centre = state_.centres[static_cast<size_t>(k * rows_.cols + d)];
        centre = static_cast<float>(centre + (sum[static_cast<size_t>(d)] - added * centre) / all);
      }
    }
    if (options_.progress) options_.progress(std::min(begin + batch, rows_.rows));
  }
  return EndPass(tally, seen);
}

// Moves the centres of clusters that got no row, and sees whether the run is over.
Status KMeans::EndPass(const Tally& tally, const std::vector<double>& counts) {
  const std::vector<int64_t> far = tally.far.Rows();
  state_.empty = 0;
  size_t used = 0;
  for (int64_t k = 0; k < options_.clusters; ++k) {
    if (counts[static_cast<size_t>(k)] > 0) continue;
    ++state_.empty;
    if (used == far.size()) continue;
    std::copy_n(rows_.Row(far[used++]), rows_.cols, state_.centres.begin() + k * rows_.cols);
    state_.counts[static_cast<size_t>(k)] = 0;
  }
  const bool first = state_.passes == 0;
  const double fall = state_.inertia - tally.inertia;
  if (options_.batch == 0 && !options_.balanced && !first && used == 0) {
    state_.converged = fall <= options_.tolerance * state_.inertia;
  }
  state_.inertia = tally.inertia;
  ++state_.passes;
  return {};
}

Result<std::vector<int32_t>> KMeans::Assign() const {
  return Guard("k-means", [&]() -> Result<std::vector<int32_t>> {
    VQC_ASSIGN(Assigner assigner, Assigner::Make(state_, rows_.cols, options_));
    std::vector<int32_t> ids(static_cast<size_t>(rows_.rows));
    for (int64_t begin = 0; begin < rows_.rows; begin += kSlab) {
      const int64_t count = std::min(kSlab, rows_.rows - begin);
      VQC_TRY(assigner.Run(rows_.Slice(begin, count), begin,
                           std::span(ids).subspan(static_cast<size_t>(begin), static_cast<size_t>(count))));
      if (options_.progress) options_.progress(begin + count);
    }
    return ids;
  });
}

}  // namespace vqc
