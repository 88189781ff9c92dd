// SPDX-License-Identifier: Apache-2.0
#include "entropy/conceal.h"

#include <gtest/gtest.h>

#include <random>

#include "entropy/priors.h"
#include "tests/entropy/token_maps.h"

namespace vqc {
namespace {

const std::vector<uint32_t> kFsq = {8, 8, 5, 5};

TEST(Conceal, TheNearestNeighbourIsRepeated) {
  Tokens tokens{{1, 1, 3, 4}, {100}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}};
  std::vector<uint8_t> lost(12, 1);
  lost[1] = lost[11] = 0;
  RepeatNeighbours(tokens, lost);
  EXPECT_EQ(tokens.ids, (std::vector<uint32_t>{2, 2, 2, 2, 2, 2, 2, 12, 2, 2, 12, 12}));
}

TEST(Conceal, WithoutANeighbourTheTimeBeforeOrTheMiddleIsTaken) {
  Tokens tokens{{2, 2, 1, 2}, {100, 10}, {1, 2, 3, 4, 5, 6, 7, 8}};
  RepeatNeighbours(tokens, std::vector<uint8_t>{0, 1, 0, 1, 1, 0, 1, 1});
  EXPECT_EQ(tokens.ids, (std::vector<uint32_t>{1, 5, 3, 5, 1, 6, 3, 6}));
}

// Whatever is lost: what is known stays, ids are in the vocabulary, the same call gives the same, and ids of
// lost tokens are not looked at.
TEST(Conceal, EveryPriorFillsHoles) {
  std::mt19937 random(1);
  for (const PriorRow& row : Priors()) {
    std::vector<uint8_t> tables;
    if (row.trained) {
      const auto trainer = MakePriorTrainer(row.name, {kFsq});
      ASSERT_TRUE((*trainer)->Add(SmoothMap({1, 1, 12, 12}, kFsq, 1)).ok());
      tables = *(*trainer)->Finish();
    }
    const auto model = MakePrior(row.name, {kFsq}, tables);
    ASSERT_TRUE(model.ok()) << model.error().message;
    for (const uint32_t percent : {0, 20, 70, 100}) {
      for (const TokenShape shape :
           {TokenShape{1, 1, 9, 7}, TokenShape{1, 30, 1, 1}, TokenShape{1, 3, 4, 5}}) {
        const Tokens tokens = SmoothMap(shape, kFsq, 8);
        std::vector<uint8_t> lost;
        Tokens one = tokens, two = tokens;
        for (size_t i = 0; i < tokens.ids.size(); ++i) {
          lost.push_back(random() % 100 < percent);
          if (lost[i]) two.ids[i] = random() % 1600;
        }
        ASSERT_TRUE((*model)->Conceal(one, lost).ok());
        ASSERT_TRUE((*model)->Conceal(two, lost).ok());
        EXPECT_EQ(one, two) << row.name;
        EXPECT_EQ(one.shape, tokens.shape);
        for (size_t i = 0; i < tokens.ids.size(); ++i) {
          ASSERT_LT(one.ids[i], 1600u);
          if (lost[i] == 0) {
            ASSERT_EQ(one.ids[i], tokens.ids[i]);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace vqc
