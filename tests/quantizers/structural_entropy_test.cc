// SPDX-License-Identifier: Apache-2.0
#include "quantizers/structural_entropy.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "quantizers/search/hash_random.h"

namespace vqc {
namespace {

Graph GraphOf(int32_t nodes, const std::map<std::pair<int32_t, int32_t>, double>& edges) {
  std::map<std::pair<int32_t, int32_t>, double> both = edges;
  for (const auto& [ends, weight] : edges) both[{ends.second, ends.first}] = weight;
  Graph graph;
  graph.begin.assign(static_cast<size_t>(nodes) + 1, 0);
  for (const auto& [ends, weight] : both) {
    ++graph.begin[static_cast<size_t>(ends.first) + 1];
    graph.neighbours.push_back(ends.second);
    graph.weights.push_back(weight);
  }
  for (size_t i = 1; i < graph.begin.size(); ++i) graph.begin[i] += graph.begin[i - 1];
  return graph;
}

const Graph kTriangles =
    GraphOf(6, {{{0, 1}, 1}, {{0, 2}, 1}, {{1, 2}, 1}, {{3, 4}, 1}, {{3, 5}, 1}, {{4, 5}, 1}, {{2, 3}, 0.2}});

TEST(StructuralEntropy, AgreesWithGoldenValues) {
  const auto entropy = [](std::vector<int32_t> clusters) { return StructuralEntropy(kTriangles, clusters); };
  EXPECT_NEAR(entropy({0, 0, 0, 0, 0, 0}), 2.583477, 5e-7);
  EXPECT_NEAR(entropy({0, 1, 2, 3, 4, 5}), 2.583477, 5e-7);
  EXPECT_NEAR(entropy({0, 0, 0, 1, 1, 1}), 1.615735, 5e-7);
  EXPECT_NEAR(entropy({0, 0, 1, 1, 2, 2}), 2.00872, 5e-6);
}

TEST(StructuralEntropy, TheTrianglesAreFound) {
  EXPECT_EQ(MinimizeStructuralEntropy(kTriangles), (std::vector<int32_t>{0, 0, 0, 1, 1, 1}));
}

Graph RandomGraph(int32_t nodes, uint64_t seed) {
  const HashRandom random(seed, 1);
  std::map<std::pair<int32_t, int32_t>, double> edges;
  for (int32_t i = 0; i < nodes; ++i) {
    for (int32_t j = i + 1; j < nodes; ++j) {
      const auto at = static_cast<uint64_t>(i * nodes + j);
      const bool near = i / 8 == j / 8;
      if (random.Uniform(at) < (near ? 0.7 : 0.03)) edges[{i, j}] = 0.1 + random.Uniform(at + 1000000);
    }
  }
  return GraphOf(nodes, edges);
}

// Every merge is compared with the entropy computed anew for each pair of clusters.
TEST(StructuralEntropy, MergesAreThoseOfTheDefinition) {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    const Graph graph = RandomGraph(40, seed);
    std::vector<int32_t> clusters(40);
    for (int32_t i = 0; i < 40; ++i) clusters[i] = i;
    while (true) {
      const double before = StructuralEntropy(graph, clusters);
      double best = before - 1e-9;
      std::vector<int32_t> taken;
      const std::set<int32_t> ids(clusters.begin(), clusters.end());
      for (const int32_t a : ids) {
        for (const int32_t b : ids) {
          if (a >= b) continue;
          auto merged = clusters;
          for (int32_t& id : merged) id = id == b ? a : id;
          const double entropy = StructuralEntropy(graph, merged);
          if (entropy < best) {
            best = entropy;
            taken = merged;
          }
        }
      }
      if (taken.empty()) break;
      clusters = taken;
    }
    std::map<int32_t, int32_t> names;
    for (int32_t& id : clusters) id = names.emplace(id, static_cast<int32_t>(names.size())).first->second;
    EXPECT_EQ(MinimizeStructuralEntropy(graph), clusters) << seed;
  }
}

TEST(StructuralEntropy, FindsACodebookAndItsSize) {
  const HashRandom random(3, 1);
  std::vector<float> rows;
  for (uint64_t i = 0; i < 300; ++i) {  // five directions
    for (uint64_t d = 0; d < 5; ++d) {
      rows.push_back(static_cast<float>((i % 5 == d ? 1 : 0) + 0.05 * (random.Uniform(i * 5 + d) - 0.5)));
    }
  }
  const auto found = FindStructuralCodebook({rows.data(), 300, 5}, 15);
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_GE(found->entries, 5);
  EXPECT_LE(found->entries, 60);
  for (size_t i = 0; i < 300; ++i) {  // no cluster mixes directions
    const auto id = static_cast<size_t>(found->clusters[i]);
    EXPECT_NEAR(found->codewords[id * 5 + i % 5], 1, 0.05);
  }
}

TEST(StructuralEntropy, RefusesWhatDoesNotFit) {
  const std::vector<float> rows{1, 2, std::nanf(""), 4};
  EXPECT_FALSE(NeighbourGraph({rows.data(), 2, 2}, 0).ok());
  EXPECT_FALSE(NeighbourGraph({rows.data(), 2, 2}, 16).ok());
  EXPECT_FALSE(NeighbourGraph({rows.data(), 2, 2}, 1).ok());  // NaN
  EXPECT_EQ(NeighbourGraph({rows.data(), 0, 2}, 1)->size(), 0);
  EXPECT_EQ(NeighbourGraph({rows.data(), 1, 2}, 3)->size(), 1);  // alone
  EXPECT_TRUE(MinimizeStructuralEntropy({}).empty());
}

}  // namespace
}  // namespace vqc
