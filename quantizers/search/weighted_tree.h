// SPDX-License-Identifier: Apache-2.0
// Nested clusters of weighted points: a tree-structured codebook, grown greedily (Riskin and Gray, IEEE
// Transactions on Signal Processing 39, 1991): again and again the cluster with the largest weighted sum of
// squares is parted in two by 2-means.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "quantizers/search/rows.h"

namespace vqc {

// A cut of the tree: ranges of WeightedTree::order.
struct TreeCut {
  std::vector<uint32_t> starts;  // [C] where each cluster begins, rising from 0
  std::vector<uint32_t>
      representatives;  // [C] the point closest to each cluster's weighted mean, one of its own
  double error = 0;     // weighted mean of squared distances to the clusters' means
};

struct WeightedTree {
  std::vector<uint32_t> order;  // every point once, so that each cluster is a range
  std::vector<TreeCut> cuts;    // one for each size asked for that can be reached
};

// `sizes` rise; equal points stay together, so that the last ones may not be reached. Clusters are numbered
// in the order of the tree: numbers that are close are clusters that were parted late. The same for any
// machine that rounds alike. REQUIRES: as many weights as rows, not negative and not all 0; finite rows
WeightedTree GrowTree(const Rows& points, std::span<const double> weights, std::span<const uint32_t> sizes);

}  // namespace vqc
