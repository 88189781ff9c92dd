// SPDX-License-Identifier: Apache-2.0
#include "quantizers/search/weighted_tree.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <queue>

namespace vqc {
namespace {

constexpr int kPowerSteps = 8;   // for the axis of largest variance
constexpr int kLloydSteps = 12;  // of 2-means, at most

using Vector = std::vector<double>;

struct Cluster {
  uint32_t begin = 0, end = 0;
  double squares = 0;  // weighted, around the mean
  bool operator<(const Cluster& other) const {
    return squares != other.squares ? squares < other.squares : begin > other.begin;
  }
};

class Grower {
 public:
  Grower(const Rows& points, std::span<const double> weights)
      : points_(points), weights_(weights), dims_(static_cast<size_t>(points.cols)) {
    order_.resize(weights.size());
    std::iota(order_.begin(), order_.end(), 0u);
  }

  WeightedTree Grow(std::span<const uint32_t> sizes) {
    WeightedTree tree;
    std::priority_queue<Cluster> parts;
    parts.push(Measured({0, static_cast<uint32_t>(order_.size()), 0}));
    std::vector<Cluster> whole;  // clusters of equal points
    for (const uint32_t size : sizes) {
      while (!parts.empty() && parts.size() + whole.size() < size) {
        const Cluster top = parts.top();
        parts.pop();
        const uint32_t middle = Part(top);
        if (middle == top.begin || middle == top.end) {
          whole.push_back(top);
          continue;
        }
        parts.push(Measured({top.begin, middle, 0}));
        parts.push(Measured({middle, top.end, 0}));
      }
      if (parts.size() + whole.size() < size) break;
      tree.cuts.push_back(CutOf(parts, whole));
    }
    tree.order = std::move(order_);
    return tree;
  }

 private:
  const float* Point(uint32_t i) const { return points_.Row(i); }

  double Distance(uint32_t i, const Vector& centre) const {
    double sum = 0;
    for (size_t d = 0; d < dims_; ++d) sum += (Point(i)[d] - centre[d]) * (Point(i)[d] - centre[d]);
    return sum;
  }

  // Weighted mean of a range; of its points alike where they weigh nothing.
  Vector Mean(uint32_t begin, uint32_t end) const {
    Vector mean(dims_, 0.0);
    double total = 0;
    for (uint32_t i = begin; i < end; ++i) total += weights_[order_[i]];
    for (uint32_t i = begin; i < end; ++i) {
      const double share = total > 0 ? weights_[order_[i]] / total : 1.0 / (end - begin);
      for (size_t d = 0; d < dims_; ++d) mean[d] += share * Point(order_[i])[d];
    }
    return mean;
  }

  Cluster Measured(Cluster cluster) const {
    const Vector mean = Mean(cluster.begin, cluster.end);
    for (uint32_t i = cluster.begin; i < cluster.end; ++i)
      cluster.squares += weights_[order_[i]] * Distance(order_[i], mean);
    return cluster;
  }

  // The axis of largest variance, by power iteration from the point that is farthest from the mean.
  Vector Axis(const Cluster& cluster, const Vector& mean) const {
    uint32_t farthest = cluster.begin;
    double most = -1;
    for (uint32_t i = cluster.begin; i < cluster.end; ++i) {
      const double distance = Distance(order_[i], mean);
      if (distance > most) most = distance, farthest = i;
    }
    Vector axis(dims_), next(dims_);
    for (size_t d = 0; d < dims_; ++d) axis[d] = Point(order_[farthest])[d] - mean[d];
    for (int step = 0; step < kPowerSteps; ++step) {
      std::fill(next.begin(), next.end(), 0.0);
      double length = 0;
      for (uint32_t i = cluster.begin; i < cluster.end; ++i) {
        const double along = weights_[order_[i]] * Along(order_[i], mean, axis);
        for (size_t d = 0; d < dims_; ++d) next[d] += along * (Point(order_[i])[d] - mean[d]);
      }
      for (const double x : next) length = std::max(length, std::abs(x));
      if (length == 0) break;
      for (size_t d = 0; d < dims_; ++d) axis[d] = next[d] / length;
    }
    return axis;
  }

  double Along(uint32_t i, const Vector& mean, const Vector& axis) const {
    double sum = 0;
    for (size_t d = 0; d < dims_; ++d) sum += (Point(i)[d] - mean[d]) * axis[d];
    return sum;
  }

  // Orders the range into two clusters; returns where the second begins, an end of the range where all of its
  // points are equal.
  uint32_t Part(const Cluster& cluster) {
    const auto begin = order_.begin() + cluster.begin, end = order_.begin() + cluster.end;
    const Vector mean = Mean(cluster.begin, cluster.end), axis = Axis(cluster, mean);
    auto middle = std::stable_partition(begin, end, [&](uint32_t i) { return Along(i, mean, axis) < 0; });
    for (int step = 0; step < kLloydSteps && middle != begin && middle != end; ++step) {
      const auto at = static_cast<uint32_t>(middle - order_.begin());
      const Vector low = Mean(cluster.begin, at), high = Mean(at, cluster.end);
      const auto moved = std::stable_partition(
          begin, end, [&](uint32_t i) { return Distance(i, low) <= Distance(i, high); });
      if (moved == middle) break;
      middle = moved;
    }
    return static_cast<uint32_t>(middle - order_.begin());
  }

  TreeCut CutOf(std::priority_queue<Cluster> parts, std::vector<Cluster> clusters) const {
    for (; !parts.empty(); parts.pop()) clusters.push_back(parts.top());
    std::sort(clusters.begin(), clusters.end(),
              [](const Cluster& a, const Cluster& b) { return a.begin < b.begin; });
    TreeCut cut;
    for (const Cluster& cluster : clusters) {
      const Vector mean = Mean(cluster.begin, cluster.end);
      const auto closest =
          std::min_element(order_.begin() + cluster.begin, order_.begin() + cluster.end,
                           [&](uint32_t a, uint32_t b) { return Distance(a, mean) < Distance(b, mean); });
      cut.starts.push_back(cluster.begin);
      cut.representatives.push_back(*closest);
      cut.error += cluster.squares;
    }
    cut.error /= std::accumulate(weights_.begin(), weights_.end(), 0.0);
    return cut;
  }

  const Rows& points_;
  std::span<const double> weights_;
  size_t dims_;
  std::vector<uint32_t> order_;
};

}  // namespace

WeightedTree GrowTree(const Rows& points, std::span<const double> weights, std::span<const uint32_t> sizes) {
  return Grower(points, weights).Grow(sizes);
}

}  // namespace vqc
