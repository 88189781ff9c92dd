// SPDX-License-Identifier: Apache-2.0
#include "quantizers/search/cpu_cluster_pass.h"

#include <algorithm>
#include <optional>

#include "quantizers/search/cluster_sums.h"
#include "quantizers/search/draw_rows.h"
#include "quantizers/search/search.h"

namespace vqc {
namespace {

constexpr int64_t kSlab = 1 << 16;              // rows that are assigned and summed at a time
constexpr double kSlack = 0.1, kHeadStart = 4;  // of balanced clusters: above the mean size, and rows

class CpuClusterPass final : public ClusterPass {
 public:
  CpuClusterPass(const Rows& rows, const KMeansOptions& options, bool balanced)
      : rows_(rows), clusters_(options.clusters), threads_(options.threads), balanced_(balanced) {}

  Status Begin(const float* centres, int64_t count) override {
    VQC_ASSIGN(codebook_, Codebook::Make({centres, count, rows_.cols}));
    if (sums_) sums_->Clear();
    seen_ = 0;
    taken_.assign(balanced_ ? static_cast<size_t>(count) : 0, 0);
    return {};
  }

  Status Add(const Rows& rows, int64_t first, bool sum, const Seen& seen) override {
    if (sum && !sums_) sums_.emplace(clusters_, rows_.cols);
    for (int64_t begin = 0; begin < rows.rows; begin += kSlab) {
      const Rows slab = rows.Slice(begin, std::min(kSlab, rows.rows - begin));
      ids_.resize(static_cast<size_t>(slab.rows));
      distances_.resize(ids_.size());
      VQC_TRY(Assign(slab, first + begin));
      if (sum) sums_->Add(slab, ids_, threads_);
      SquaredDistances(slab, ids_, codebook_->rows().data, threads_, distances_);
      seen({begin, slab.rows, ids_.data(), distances_.data()});
    }
    return {};
  }

  Result<Sums> Finish() override { return Sums{sums_->Sum(0).data(), sums_->counts().data()}; }

  Result<std::vector<float>> Gather(const std::vector<int64_t>& which) override {
    return vqc::Gather(rows_, which);
  }

 private:
  Status Assign(const Rows& rows, int64_t first) {
    if (!balanced_) {
      return Search(*codebook_, rows, std::span(ids_), {}, {.threads = threads_, .first_query = first});
    }
    const auto near = static_cast<int>(std::min<int64_t>(kMaxNeighbours, codebook_->size()));
    near_.resize(static_cast<size_t>(rows.rows * near));
    VQC_TRY(Search(*codebook_, rows, std::span(near_), {},
                   {.neighbours = near, .threads = threads_, .first_query = first}));
    for (size_t i = 0; i < ids_.size(); ++i) {
      ids_[i] = WithRoom(std::span(near_).subspan(i * static_cast<size_t>(near), static_cast<size_t>(near)));
    }
    return {};
  }

  // The first of the clusters that has room, which grows with the rows that came; where none has, the one
  // that took the fewest.
  int32_t WithRoom(std::span<const int32_t> near) {
    const double room = ++seen_ / static_cast<double>(taken_.size()) * (1 + kSlack) + kHeadStart;
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

  Rows rows_;
  int64_t clusters_;
  int threads_;
  bool balanced_;
  std::optional<Codebook> codebook_;
  std::optional<ClusterSums> sums_;
  double seen_ = 0;
  std::vector<int64_t> taken_;
  std::vector<int32_t> near_, ids_;
  std::vector<double> distances_;
};

}  // namespace

std::unique_ptr<ClusterPass> MakeCpuClusterPass(const Rows& rows, const KMeansOptions& options,
                                                bool balanced) {
  return std::make_unique<CpuClusterPass>(rows, options, balanced);
}

}  // namespace vqc
