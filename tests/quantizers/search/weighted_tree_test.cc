// SPDX-License-Identifier: Apache-2.0
#include "quantizers/search/weighted_tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace vqc {
namespace {

std::vector<float> RandomPoints(size_t count, size_t dims) {
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  std::vector<float> points(count * dims);
  for (float& x : points) x = normal(random);
  return points;
}

// Weighted mean squared distance of points to the means of their ranges.
double ErrorOf(const std::vector<float>& points, size_t dims, const std::vector<double>& weights,
               const WeightedTree& tree, const TreeCut& cut) {
  double error = 0, total = 0;
  for (size_t c = 0; c < cut.starts.size(); ++c) {
    const size_t end = c + 1 < cut.starts.size() ? cut.starts[c + 1] : tree.order.size();
    for (size_t d = 0; d < dims; ++d) {
      double sum = 0, squares = 0, weight = 0;
      for (size_t i = cut.starts[c]; i < end; ++i) {
        const double x = points[tree.order[i] * dims + d], w = weights[tree.order[i]];
        sum += w * x, squares += w * x * x, weight += w;
      }
      error += squares - sum * sum / weight;
    }
  }
  for (const double w : weights) total += w;
  return error / total;
}

TEST(WeightedTree, ClustersAreNestedRangesAndItsErrorIsTheirs) {
  const size_t count = 400, dims = 3;
  const auto points = RandomPoints(count, dims);
  std::vector<double> weights(count);
  for (size_t i = 0; i < count; ++i) weights[i] = 1.0 + static_cast<double>(i % 7);
  const std::vector<uint32_t> sizes = {2, 16, 100, 399};
  const auto tree = GrowTree({points.data(), count, dims}, weights, sizes);
  auto sorted = tree.order;
  std::sort(sorted.begin(), sorted.end());
  for (uint32_t i = 0; i < count; ++i) ASSERT_EQ(sorted[i], i);
  ASSERT_EQ(tree.cuts.size(), sizes.size());
  for (size_t r = 0; r < sizes.size(); ++r) {
    const TreeCut& cut = tree.cuts[r];
    ASSERT_EQ(cut.starts.size(), sizes[r]);
    EXPECT_EQ(cut.starts.front(), 0u);
    EXPECT_NEAR(cut.error, ErrorOf(points, dims, weights, tree, cut), 1e-6 * tree.cuts[0].error);
    if (r == 0) continue;
    EXPECT_LT(cut.error, tree.cuts[r - 1].error);
    EXPECT_TRUE(std::includes(cut.starts.begin(), cut.starts.end(), tree.cuts[r - 1].starts.begin(),
                              tree.cuts[r - 1].starts.end()));
  }
  EXPECT_LT(tree.cuts[1].error, 0.5 * tree.cuts[0].error);  // three normal dimensions in 16 clusters, not 2
}

TEST(WeightedTree, FindsClustersThatLieApart) {
  std::vector<float> line;
  for (const float centre : {0.0f, 10.0f, 50.0f, 60.0f})
    for (int i = 0; i < 5; ++i) line.push_back(centre + 0.1f * static_cast<float>(i));
  const std::vector<double> weights(line.size(), 1.0);
  const std::vector<uint32_t> sizes = {2, 4};
  const auto tree = GrowTree({line.data(), 20, 1}, weights, sizes);
  EXPECT_EQ(tree.cuts[0].starts, (std::vector<uint32_t>{0, 10}));
  EXPECT_EQ(tree.cuts[1].starts, (std::vector<uint32_t>{0, 5, 10, 15}));
  for (const uint32_t middle : tree.cuts[1].representatives) EXPECT_EQ(middle % 5, 2u);
}

TEST(WeightedTree, RepresentativesFollowTheWeights) {
  const std::vector<float> line = {0, 1, 2, 3, 100};
  const std::vector<double> weights = {100, 1, 1, 1, 1};
  const std::vector<uint32_t> sizes = {2};
  const auto tree = GrowTree({line.data(), 5, 1}, weights, sizes);
  EXPECT_EQ(tree.cuts[0].representatives[0] + tree.cuts[0].representatives[1], 0u + 4u);
}

TEST(WeightedTree, EqualPointsAndThoseWithoutWeightStayTogether) {
  const std::vector<float> points = {1, 1, 1, 1, 7, 7};
  const std::vector<double> weights = {1, 0, 2, 0, 1, 0};
  const std::vector<uint32_t> sizes = {2, 3};
  const auto tree = GrowTree({points.data(), 6, 1}, weights, sizes);
  ASSERT_EQ(tree.cuts.size(), 1u);  // there are two clusters and no third
  EXPECT_EQ(tree.cuts[0].starts.size(), 2u);
  EXPECT_EQ(tree.cuts[0].error, 0);
}

}  // namespace
}  // namespace vqc
