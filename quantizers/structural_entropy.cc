// SPDX-License-Identifier: Apache-2.0
#include "quantizers/structural_entropy.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <queue>
#include <tuple>

#include "quantizers/search/search.h"

namespace vqc {
namespace {

double XLogY(double x, double y) { return x > 0 ? x * std::log2(y) : 0; }

struct Cluster {
  double volume = 0, cut = 0;       // V, g
  std::map<int32_t, double> edges;  // to other clusters; ordered, so that sums do not depend on a hash
  int32_t version = 0;              // a merge makes what was computed for the cluster obsolete
  bool alive = true;
};

// What a cluster adds to the entropy, times vol, but for the sum of d log d, which no merge changes.
double Term(double volume, double cut, double total) {
  return -XLogY(cut, volume / total) + XLogY(volume, volume);
}

struct Merge {
  double gain;
  int32_t a, b, version_a, version_b;
  bool operator<(const Merge& o) const {  // the greatest gain first, then the lowest pair
    return std::tie(gain, o.a, o.b) < std::tie(o.gain, a, b);
  }
};

class Merger {
 public:
  explicit Merger(const Graph& graph) : clusters_(static_cast<size_t>(graph.size())) {
    for (int64_t i = 0; i < graph.size(); ++i) {
      Cluster& cluster = clusters_[static_cast<size_t>(i)];
      for (int64_t e = graph.begin[i]; e < graph.begin[i + 1]; ++e) {
        cluster.edges[graph.neighbours[e]] += graph.weights[e];
        cluster.volume += graph.weights[e];
      }
      cluster.cut = cluster.volume;
      total_ += cluster.volume;
    }
    parents_.resize(clusters_.size());
    std::iota(parents_.begin(), parents_.end(), 0);
    for (int32_t a = 0; a < static_cast<int32_t>(clusters_.size()); ++a) {
      for (const auto& [b, weight] : clusters_[a].edges) {
        if (a < b) Offer(a, b, weight);
      }
    }
  }

  std::vector<int32_t> Run() {
    while (!heap_.empty()) {
      const Merge best = heap_.top();
      heap_.pop();
      if (Current(best.a, best.version_a) && Current(best.b, best.version_b)) Join(best.a, best.b);
    }
    std::vector<int32_t> ids(clusters_.size(), -1), found(clusters_.size());
    int32_t count = 0;
    for (size_t i = 0; i < clusters_.size(); ++i) {
      int32_t& id = ids[static_cast<size_t>(Root(static_cast<int32_t>(i)))];
      if (id < 0) id = count++;
      found[i] = id;
    }
    return found;
  }

 private:
  bool Current(int32_t i, int32_t version) const {
    return clusters_[i].alive && clusters_[i].version == version;
  }

  int32_t Root(int32_t i) {
    while (parents_[i] != i) i = parents_[i] = parents_[parents_[i]];
    return i;
  }

  void Offer(int32_t a, int32_t b, double weight) {
    const Cluster &x = clusters_[a], &y = clusters_[b];
    const double gain = Term(x.volume, x.cut, total_) + Term(y.volume, y.cut, total_) -
                        Term(x.volume + y.volume, x.cut + y.cut - 2 * weight, total_);
    if (gain > 1e-12 * total_)
      heap_.push({gain, std::min(a, b), std::max(a, b), clusters_[std::min(a, b)].version,
                  clusters_[std::max(a, b)].version});
  }

  // The cluster with more edges takes in the other.
  void Join(int32_t a, int32_t b) {
    if (clusters_[a].edges.size() < clusters_[b].edges.size()) std::swap(a, b);
    Cluster &into = clusters_[a], &from = clusters_[b];
    into.cut = std::max(0.0, into.cut + from.cut - 2 * into.edges[b]);
    into.volume += from.volume;
    into.edges.erase(b);
    for (const auto& [other, weight] : from.edges) {
      if (other == a) continue;
      into.edges[other] += weight;
      clusters_[other].edges.erase(b);
      clusters_[other].edges[a] += weight;
    }
    from.edges.clear();
    from.alive = false;
    parents_[b] = a;
    ++into.version;
    for (const auto& [other, weight] : into.edges) Offer(a, other, weight);
  }

  std::vector<Cluster> clusters_;
  std::vector<int32_t> parents_;
  std::priority_queue<Merge> heap_;
  double total_ = 0;
};

std::vector<double> Degrees(const Graph& graph) {
  std::vector<double> degrees(static_cast<size_t>(graph.size()));
  for (int64_t i = 0; i < graph.size(); ++i) {
    for (int64_t e = graph.begin[i]; e < graph.begin[i + 1]; ++e) degrees[i] += graph.weights[e];
  }
  return degrees;
}

}  // namespace

Result<Graph> NeighbourGraph(const Rows& features, int neighbours, int threads) {
  if (neighbours < 1 || neighbours >= kMaxNeighbours || features.rows > kMaxGraphNodes) {
    return Error{ErrorCode::kUsage, "neighbour graph: " + std::to_string(features.rows) + " rows with " +
                                        std::to_string(neighbours) + " neighbours each; allowed are " +
                                        std::to_string(kMaxGraphNodes) + " rows with 1 to " +
                                        std::to_string(kMaxNeighbours - 1)};
  }
  Graph graph;
  graph.begin.assign(static_cast<size_t>(features.rows) + 1, 0);
  if (features.rows == 0) return graph;
  VQC_ASSIGN(const auto searched, Codebook::Make(features, Metric::kCosine));
  SearchOptions options;
  options.neighbours =
      static_cast<int>(std::min<int64_t>(neighbours + 1, features.rows));  // with the row itself
  options.threads = threads;
  const auto each = static_cast<size_t>(options.neighbours);
  std::vector<int32_t> ids(static_cast<size_t>(features.rows) * each);
  std::vector<double> values(ids.size());
  VQC_TRY(Search(searched, features, std::span(ids), std::span(values), options));

  std::vector<std::pair<std::pair<int32_t, int32_t>, double>> edges;  // at both ends
  for (int32_t i = 0; i < static_cast<int32_t>(features.rows); ++i) {
    int taken = 0;
    for (size_t j = 0; j < each && taken < neighbours; ++j) {
      const size_t at = static_cast<size_t>(i) * each + j;
      if (ids[at] == i) continue;
      ++taken;
      if (values[at] <= 0) continue;
      edges.push_back({{i, ids[at]}, values[at]});
      edges.push_back({{ids[at], i}, values[at]});
    }
  }
  std::sort(edges.begin(), edges.end());
  edges.erase(std::unique(edges.begin(), edges.end(), [](auto& a, auto& b) { return a.first == b.first; }),
              edges.end());
  for (const auto& [ends, weight] : edges) {
    ++graph.begin[static_cast<size_t>(ends.first) + 1];
    graph.neighbours.push_back(ends.second);
    graph.weights.push_back(weight);
  }
  std::partial_sum(graph.begin.begin(), graph.begin.end(), graph.begin.begin());
  return graph;
}

double StructuralEntropy(const Graph& graph, std::span<const int32_t> cluster) {
  const auto degrees = Degrees(graph);
  const double total = std::accumulate(degrees.begin(), degrees.end(), 0.0);
  if (total == 0) return 0;
  std::map<int32_t, std::pair<double, double>> clusters;  // V, g
  for (int64_t i = 0; i < graph.size(); ++i) {
    auto& [volume, cut] = clusters[cluster[i]];
    volume += degrees[i];
    for (int64_t e = graph.begin[i]; e < graph.begin[i + 1]; ++e) {
      if (cluster[graph.neighbours[e]] != cluster[i]) cut += graph.weights[e];
    }
  }
  double bits = 0;
  for (const auto& [id, x] : clusters) bits -= XLogY(x.second, x.first / total);
  for (int64_t i = 0; i < graph.size(); ++i)
    bits -= XLogY(degrees[i], degrees[i] / clusters[cluster[i]].first);
  return bits / total;
}

std::vector<int32_t> MinimizeStructuralEntropy(const Graph& graph) { return Merger(graph).Run(); }

Result<StructuralCodebook> FindStructuralCodebook(const Rows& features, int neighbours, int threads) {
  VQC_ASSIGN(const auto graph, NeighbourGraph(features, neighbours, threads));
  StructuralCodebook found;
  found.clusters = MinimizeStructuralEntropy(graph);
  for (const int32_t id : found.clusters) found.entries = std::max<int64_t>(found.entries, id + 1);
  const auto degrees = Degrees(graph);
  const auto dim = static_cast<size_t>(features.cols);
  std::vector<double> sums(static_cast<size_t>(found.entries) * dim),
      weights(static_cast<size_t>(found.entries));
  for (int64_t i = 0; i < features.rows; ++i) {
    const double weight =
        std::max(degrees[i], 1e-12);  // of a row without neighbours, which is alone in its cluster
    const auto id = static_cast<size_t>(found.clusters[i]);
    weights[id] += weight;
    for (size_t d = 0; d < dim; ++d) sums[id * dim + d] += weight * features.Row(i)[d];
  }
  for (size_t j = 0; j < sums.size(); ++j)
    found.codewords.push_back(static_cast<float>(sums[j] / weights[j / dim]));
  return found;
}

}  // namespace vqc
