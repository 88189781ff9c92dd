// SPDX-License-Identifier: Apache-2.0
#include "eval/token_statistics.h"

#include <gtest/gtest.h>

#include <cmath>

namespace vqc {
namespace {

Tokens Map(std::vector<uint32_t> vocab, std::vector<uint32_t> ids) {
  const auto levels = static_cast<uint32_t>(vocab.size());
  return {{levels, 1, 1, static_cast<uint32_t>(ids.size()) / levels}, std::move(vocab), std::move(ids)};
}

TEST(TokenCounter, OfEqualSharesIsTheirLogarithm) {
  TokenCounter counter;
  ASSERT_TRUE(counter.Add(Map({1024}, {7, 9, 1023, 0, 7, 9, 1023, 0})).ok());
  const LevelStatistics level = counter.Levels().at(0);
  EXPECT_EQ(level.tokens, 8u);
  EXPECT_EQ(level.used, 4u);
  EXPECT_DOUBLE_EQ(level.entropy, 2);
  EXPECT_DOUBLE_EQ(level.perplexity, 4);
  EXPECT_DOUBLE_EQ(level.usage, 4.0 / 1024);
  EXPECT_DOUBLE_EQ(level.usage_bound, 8.0 / 1024);
  EXPECT_DOUBLE_EQ(level.bits_raw, 10);
}

TEST(TokenCounter, OfUnequalSharesByHand) {
  TokenCounter counter;
  ASSERT_TRUE(counter.Add(Map({3}, {0, 0, 0, 1})).ok());
  ASSERT_TRUE(counter.Add(Map({3}, {0, 0, 0, 1})).ok());
  const LevelStatistics level = counter.Levels().at(0);
  EXPECT_NEAR(level.entropy, 0.75 * std::log2(4.0 / 3) + 0.25 * 2, 1e-12);
  EXPECT_DOUBLE_EQ(level.usage_bound, 1);
  EXPECT_EQ(counter.SortedCounts(0), (std::vector<uint64_t>{6, 2}));
}

TEST(TokenCounter, KeepsLevelsApartAndForgetsTheOrderOfMaps) {
  const Tokens a = Map({4, 2}, {0, 0, 1, 1, 2, 0}), b = Map({4, 2}, {3, 0, 3, 0});
  TokenCounter forth, back;
  ASSERT_TRUE(forth.Add(a).ok() && forth.Add(b).ok());
  ASSERT_TRUE(back.Add(b).ok() && back.Add(a).ok());
  ASSERT_EQ(forth.Levels().size(), 2u);
  EXPECT_EQ(forth.Levels()[0].used, 4u);
  EXPECT_EQ(forth.Levels()[1].used, 2u);
  for (int level = 0; level < 2; ++level)
    EXPECT_EQ(forth.Levels()[level].entropy, back.Levels()[level].entropy);
}

TEST(TokenCounter, OfOneIdHasNoEntropy) {
  TokenCounter counter;
  ASSERT_TRUE(counter.Add(Map({8}, {5, 5, 5})).ok());
  EXPECT_EQ(counter.Levels()[0].entropy, 0);
  EXPECT_EQ(counter.Levels()[0].perplexity, 1);
}

TEST(TokenCounter, WhatDoesNotBelongIsRefused) {
  TokenCounter counter;
  EXPECT_TRUE(counter.Levels().empty());
  ASSERT_TRUE(counter.Add(Map({8}, {5})).ok());
  EXPECT_FALSE(counter.Add(Map({9}, {5})).ok());
  EXPECT_FALSE(counter.Add(Map({8, 8}, {5, 5})).ok());
  EXPECT_FALSE(counter.Add(Map({8}, {8})).ok());
  EXPECT_EQ(counter.Levels()[0].tokens, 1u);
}

}  // namespace
}  // namespace vqc
