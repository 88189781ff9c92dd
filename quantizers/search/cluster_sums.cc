// SPDX-License-Identifier: Apache-2.0
#include "quantizers/search/cluster_sums.h"

#include <algorithm>

#include "base/parallel.h"
#include "base/result.h"

namespace vqc {
namespace {

constexpr int64_t kColumns = 16;  // least that a thread takes: two cache lines of sums
constexpr int64_t kRowBlock = 4096;
constexpr int64_t kLanes = 8;  // partial sums of a distance

double SquaredDistance(const float* x, const float* c, int64_t dim) {
  double lanes[kLanes] = {};
  int64_t d = 0;
  for (; d + kLanes <= dim; d += kLanes) {
    for (int64_t i = 0; i < kLanes; ++i) {
      const double t = static_cast<double>(x[d + i]) - static_cast<double>(c[d + i]);
      lanes[i] += t * t;
    }
  }
  for (; d < dim; ++d) {
    const double t = static_cast<double>(x[d]) - static_cast<double>(c[d]);
    lanes[0] += t * t;
  }
  return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

}  // namespace

// Threads share out the columns, so that each sum has one thread and one order.
void ClusterSums::Add(const Rows& rows, std::span<const int32_t> ids, int threads) {
  const int64_t parts = std::clamp<int64_t>(dim_ / kColumns, 1, threads);
  (void)ParallelFor(static_cast<size_t>(parts), threads, [&](size_t part) -> Status {
    const int64_t begin = dim_ * static_cast<int64_t>(part) / parts;
    const int64_t end = dim_ * (static_cast<int64_t>(part) + 1) / parts;
    for (int64_t i = 0; i < rows.rows; ++i) {
      const float* x = rows.Row(i);
      double* sum = sums_.data() + ids[static_cast<size_t>(i)] * dim_;
      for (int64_t d = begin; d < end; ++d) sum[d] += static_cast<double>(x[d]);
    }
    return {};
  });
  for (const int32_t id : ids) counts_[static_cast<size_t>(id)] += 1;
}

void ClusterSums::Clear() {
  for (size_t k = 0; k < counts_.size(); ++k) {
    if (counts_[k] == 0) continue;
    counts_[k] = 0;
    std::fill_n(sums_.begin() + static_cast<int64_t>(k) * dim_, dim_, 0.0);
  }
}

void SquaredDistances(const Rows& rows, std::span<const int32_t> ids, const float* centres, int threads,
                      std::span<double> distances) {
  const auto blocks = static_cast<size_t>((rows.rows + kRowBlock - 1) / kRowBlock);
  (void)ParallelFor(blocks, threads, [&](size_t block) -> Status {
    const int64_t begin = static_cast<int64_t>(block) * kRowBlock,
                  end = std::min(begin + kRowBlock, rows.rows);
    for (int64_t i = begin; i < end; ++i) {
      const auto at = static_cast<size_t>(i);
      distances[at] = SquaredDistance(rows.Row(i), centres + ids[at] * rows.cols, rows.cols);
    }
    return {};
  });
}

}  // namespace vqc
