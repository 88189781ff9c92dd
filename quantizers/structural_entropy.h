// SPDX-License-Identifier: Apache-2.0
// Clusters by structural entropy (Li and Pan, 2016), as SECodec chooses a codebook and its size (Wang et al.,
// AAAI 2025, arXiv 2501.00018): how many bits a random walk on a graph of similar features costs, if it is
// told by cluster.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "quantizers/search/rows.h"

namespace vqc {

// Undirected and weighted: neighbours[begin[i]] ... neighbours[begin[i + 1] - 1] are those of node i, each
// edge is listed at both its ends with the same positive weight, and no node is its own neighbour.
struct Graph {
  std::vector<int64_t> begin;  // nodes + 1
  std::vector<int32_t> neighbours;
  std::vector<double> weights;

  int64_t size() const { return begin.empty() ? 0 : static_cast<int64_t>(begin.size()) - 1; }
};

inline constexpr int64_t kMaxGraphNodes = 1 << 16;

// Edges lead from each row to the `neighbours` rows of the greatest cosine, where that is positive, which is
// their weight. Errors (kUsage): neighbours not from 1 to 15, more than kMaxGraphNodes rows, NaN or infinity.
Result<Graph> NeighbourGraph(const Rows& features, int neighbours, int threads = 1);

// Two-dimensional structural entropy in bits of a partition, cluster[i] being that of node i, from 0 on:
//   sum over X of -(g_X / vol) log2(V_X / vol) - sum over i in X of (d_i / vol) log2(d_i / V_X)
// with the degree d_i of a node, the sum V_X of a cluster's degrees, the weight g_X of edges that leave it
// and the sum vol of all degrees. REQUIRES: cluster.size() == graph.size(), no negative number.
double StructuralEntropy(const Graph& graph, std::span<const int32_t> cluster);

// The cluster of each node, numbered from 0 by first node: beginning with a cluster for each node, the pair
// of clusters with an edge between them whose union lowers the entropy most is merged, until none does. Time
// O(E log^2 E).
std::vector<int32_t> MinimizeStructuralEntropy(const Graph& graph);

// A codebook of as many codewords as there are clusters: means of their rows, weighted by degree.
struct StructuralCodebook {
  int64_t entries = 0;
  std::vector<float> codewords;   // [entries][D]
  std::vector<int32_t> clusters;  // of each row
};
Result<StructuralCodebook> FindStructuralCodebook(const Rows& features, int neighbours, int threads = 1);

}  // namespace vqc
