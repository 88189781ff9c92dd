// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "quantizers/search/rows.h"

namespace vqc {

// Sums of the rows of each cluster in float64, in the order in which the rows come.
class ClusterSums {
 public:
  ClusterSums(int64_t clusters, int64_t dim)
      : dim_(dim), sums_(static_cast<size_t>(clusters * dim)), counts_(static_cast<size_t>(clusters)) {}

  // Row i belongs to cluster ids[i].
  void Add(const Rows& rows, std::span<const int32_t> ids, int threads);
  void Clear();

  std::span<const double> Sum(int64_t cluster) const {
    return std::span(sums_).subspan(static_cast<size_t>(cluster * dim_), static_cast<size_t>(dim_));
  }
  double Count(int64_t cluster) const { return counts_[static_cast<size_t>(cluster)]; }
  const std::vector<double>& counts() const { return counts_; }

 private:
  int64_t dim_;
  std::vector<double> sums_, counts_;
};

// Squared distance [N] of each row from its cluster's centre; centres are [K][D].
void SquaredDistances(const Rows& rows, std::span<const int32_t> ids, const float* centres, int threads,
                      std::span<double> distances);

}  // namespace vqc
