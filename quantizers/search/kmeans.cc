// SPDX-License-Identifier: Apache-2.0
#include "quantizers/search/kmeans.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/guard.h"
#include "base/parallel.h"
#include "quantizers/search/codebook.h"
#include "quantizers/search/cpu_cluster_pass.h"
#include "quantizers/search/cuda/part.h"
#include "quantizers/search/draw_rows.h"
#include "quantizers/search/kmeans_init.h"

namespace vqc {
namespace {

constexpr int64_t kMaxMoved = 1 << 14;  // empty clusters that one pass can move
constexpr int64_t kBlock = 1024;        // clusters whose means a thread takes at a time

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

Result<std::shared_ptr<ClusterPass>> MakePass(const Rows& rows, const KMeansOptions& options, bool balanced) {
  if (options.device < 0) return std::shared_ptr<ClusterPass>(MakeCpuClusterPass(rows, options, balanced));
  if (balanced) {
    return Usage("balanced clusters are learned on the CPU; ask for one or the other");
  }
  VQC_ASSIGN(const CudaPart* part, LoadCudaPart());
  VQC_ASSIGN(auto pass, part->make_cluster_pass(rows, options.clusters, options.device));
  return std::shared_ptr<ClusterPass>(std::move(pass));
}

}  // namespace

Result<KMeans> KMeans::Start(const Rows& rows, KMeansOptions options) {
  VQC_TRY(Check(rows, options));
  if (options.threads <= 0) options.threads = CoreCount();
  return Guard("k-means", [&]() -> Result<KMeans> {
    VQC_ASSIGN(auto pass, MakePass(rows, options, options.balanced));
    const auto make = [&](const Rows& sample) { return MakePass(sample, options, /*balanced=*/false); };
    KMeansState state;
    VQC_ASSIGN(state.centres, FirstCentres(rows, options, *pass, make));
    state.counts.resize(static_cast<size_t>(options.clusters));
    return KMeans(rows, std::move(options), std::move(state), std::move(pass));
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
  return Guard("k-means", [&]() -> Result<KMeans> {
    VQC_ASSIGN(auto pass, MakePass(rows, options, options.balanced));
    return KMeans(rows, std::move(options), std::move(state), std::move(pass));
  });
}

Status KMeans::Pass() {
  if (Done()) return {};
  return Guard("k-means", [&] { return options_.batch > 0 ? BatchPass() : LloydPass(); });
}

// What one pass over the rows leaves beside the sums.
struct KMeans::Tally {
  explicit Tally(const KMeans& run)
      : far(std::min(run.options_.clusters, kMaxMoved),
            HashRandom(run.options_.seed, StreamOf(Draw::kEmpty, run.state_.passes))) {}

  void Add(int64_t row, double distance) {
    inertia += distance;
    far.Offer(row, distance);
  }

  WeightedDraw far;  // where empty clusters are moved to
  double inertia = 0;
};

Status KMeans::LloydPass() {
  VQC_TRY(pass_->Begin(state_.centres.data(), options_.clusters));
  Tally tally(*this);
  VQC_TRY(pass_->Add(rows_, 0, /*sum=*/true, [&](const ClusterPass::Slab& slab) {
    for (int64_t i = 0; i < slab.rows; ++i) tally.Add(slab.begin + i, slab.distances[i]);
    if (options_.progress) options_.progress(slab.begin + slab.rows);
  }));
  VQC_ASSIGN(const ClusterPass::Sums found, pass_->Finish());
  state_.counts.assign(found.counts, found.counts + options_.clusters);
  const int64_t dim = rows_.cols;
  const auto blocks = static_cast<size_t>((options_.clusters + kBlock - 1) / kBlock);
  VQC_TRY(ParallelFor(blocks, options_.threads, [&](size_t block) -> Status {
    const int64_t first = static_cast<int64_t>(block) * kBlock;
    for (int64_t k = first; k < std::min(first + kBlock, options_.clusters); ++k) {
      if (found.counts[k] == 0) continue;
      for (int64_t i = k * dim; i < (k + 1) * dim; ++i) {
        state_.centres[static_cast<size_t>(i)] = static_cast<float>(found.sums[i] / found.counts[k]);
      }
    }
    return {};
  }));
  return EndPass(tally, state_.counts);
}

Status KMeans::BatchPass() {
  Tally tally(*this);
  std::vector<double> seen(static_cast<size_t>(options_.clusters));
  const int64_t batch = std::min(options_.batch, rows_.rows);
  const HashRandom random(options_.seed, StreamOf(Draw::kBatch, state_.passes));
  std::vector<int64_t> numbers(static_cast<size_t>(batch));
  for (int64_t begin = 0; begin < rows_.rows; begin += batch) {
    for (int64_t i = 0; i < batch; ++i) {
      numbers[static_cast<size_t>(i)] = random.Below(static_cast<uint64_t>(begin + i), rows_.rows);
    }
    std::sort(numbers.begin(), numbers.end());
    VQC_ASSIGN(const std::vector<float> some, pass_->Gather(numbers));
    VQC_TRY(pass_->Begin(state_.centres.data(), options_.clusters));
    VQC_TRY(pass_->Add({some.data(), batch, rows_.cols}, 0, /*sum=*/true, [&](const ClusterPass::Slab& slab) {
      for (int64_t i = 0; i < slab.rows; ++i) {
        tally.Add(numbers[static_cast<size_t>(slab.begin + i)], slab.distances[i]);
      }
    }));
    VQC_ASSIGN(const ClusterPass::Sums found, pass_->Finish());
    for (int64_t k = 0; k < options_.clusters; ++k) {
      const double added = found.counts[k];
      if (added == 0) continue;
      seen[static_cast<size_t>(k)] += added;
      const double all = state_.counts[static_cast<size_t>(k)] += added;
      for (int64_t i = k * rows_.cols; i < (k + 1) * rows_.cols; ++i) {
        float& centre = state_.centres[static_cast<size_t>(i)];
        centre = static_cast<float>(centre + (found.sums[i] - added * centre) / all);
      }
    }
    if (options_.progress) options_.progress(std::min(begin + batch, rows_.rows));
  }
  return EndPass(tally, seen);
}

// Moves the centres of clusters that got no row, and sees whether the run is over.
Status KMeans::EndPass(const Tally& tally, const std::vector<double>& counts) {
  std::vector<int64_t> empty;
  for (int64_t k = 0; k < options_.clusters; ++k) {
    if (counts[static_cast<size_t>(k)] == 0) empty.push_back(k);
  }
  std::vector<int64_t> far = empty.empty() ? std::vector<int64_t>() : tally.far.Rows();
  far.resize(std::min(far.size(), empty.size()));
  VQC_ASSIGN(const std::vector<float> moved, pass_->Gather(far));
  for (size_t i = 0; i < far.size(); ++i) {
    std::copy_n(moved.begin() + static_cast<int64_t>(i) * rows_.cols, rows_.cols,
                state_.centres.begin() + empty[i] * rows_.cols);
    state_.counts[static_cast<size_t>(empty[i])] = 0;
  }
  state_.empty = static_cast<int64_t>(empty.size());
  const bool first = state_.passes == 0;
  const double fall = state_.inertia - tally.inertia;
  if (options_.batch == 0 && !options_.balanced && !first && far.empty()) {
    state_.converged = fall <= options_.tolerance * state_.inertia;
  }
  state_.inertia = tally.inertia;
  ++state_.passes;
  return {};
}

Result<std::vector<int32_t>> KMeans::Assign() const {
  return Guard("k-means", [&]() -> Result<std::vector<int32_t>> {
    VQC_TRY(pass_->Begin(state_.centres.data(), options_.clusters));
    std::vector<int32_t> ids(static_cast<size_t>(rows_.rows));
    VQC_TRY(pass_->Add(rows_, 0, /*sum=*/false, [&](const ClusterPass::Slab& slab) {
      std::copy_n(slab.ids, slab.rows, ids.begin() + slab.begin);
      if (options_.progress) options_.progress(slab.begin + slab.rows);
    }));
    return ids;
  });
}

}  // namespace vqc
