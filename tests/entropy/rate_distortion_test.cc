// SPDX-License-Identifier: Apache-2.0
#include "entropy/rate_distortion.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "entropy/priors.h"
#include "entropy/token_coder.h"

namespace vqc {
namespace {

const Factors kFactors = {{48, 8, 5}};  // the first above kMaxRadix: never changed

struct Sample {
  Tokens tokens;
  std::vector<float> positions;
};

// Digits around the middle of their range, so that an adaptive prior has something to learn.
Sample NewSample(uint32_t height, uint32_t width) {
  Sample sample{{{1, 1, height, width}, {1920}, {}}, {}};
  std::mt19937 random(7);
  std::normal_distribution<float> normal(0, 1);
  for (size_t i = 0; i < sample.tokens.shape.Count(); ++i) {
    uint32_t id = 0, divisor = 1;
    for (const uint32_t factor : kFactors[0]) {
      const float position =
          std::clamp(factor / 2 + normal(random), -0.49f, static_cast<float>(factor) - 0.51f);
      sample.positions.push_back(position);
      id += static_cast<uint32_t>(std::lround(position)) * divisor;
      divisor *= factor;
    }
    sample.tokens.ids.push_back(id);
  }
  return sample;
}

struct Cost {
  double distance = 0;  // squared, summed over digits
  size_t bytes = 0;
};

Cost CostOf(const Tokens& tokens, const Sample& sample, const PriorModel& prior) {
  Cost cost{0, EncodeTokens(tokens, prior)->size()};
  for (size_t i = 0, at = 0; i < tokens.ids.size(); ++i) {
    uint32_t rest = tokens.ids[i];
    for (const uint32_t factor : kFactors[0]) {
      cost.distance += std::pow(sample.positions[at++] - rest % factor, 2);
      rest /= factor;
    }
  }
  return cost;
}

TEST(RateDistortion, MoreWeightGivesFewerBytesAndLargerDistances) {
  const Sample sample = NewSample(24, 32);
  const auto prior = MakePrior("adaptive", kFactors, {});
  ASSERT_TRUE(prior.ok());
  Cost last = CostOf(sample.tokens, sample, **prior);
  for (const double weight : {0.05, 0.2, 1.0}) {
    const auto chosen = OptimizeTokens(sample.tokens, kFactors, sample.positions, **prior, weight);
    ASSERT_TRUE(chosen.ok());
    const Cost cost = CostOf(*chosen, sample, **prior);
    EXPECT_LT(cost.bytes, last.bytes) << weight;
    EXPECT_GT(cost.distance, last.distance) << weight;
    for (size_t i = 0; i < chosen->ids.size(); ++i) {
      EXPECT_EQ(chosen->ids[i] % 48, sample.tokens.ids[i] % 48);
    }
    last = cost;
  }
}

TEST(RateDistortion, NoWeightChangesNothing) {
  const Sample sample = NewSample(5, 7);
  const auto prior = MakePrior("adaptive", kFactors, {});
  EXPECT_EQ(*OptimizeTokens(sample.tokens, kFactors, sample.positions, **prior, 0), sample.tokens);
}

TEST(RateDistortion, PositionsThatDoNotFitAreRefused) {
  Sample sample = NewSample(5, 7);
  const auto prior = MakePrior("adaptive", kFactors, {});
  EXPECT_TRUE(CanOptimize(sample.tokens, kFactors, sample.positions));
  EXPECT_FALSE(CanOptimize(sample.tokens, {}, sample.positions));
  EXPECT_FALSE(CanOptimize(sample.tokens, kFactors, {}));
  sample.positions.pop_back();
  EXPECT_FALSE(CanOptimize(sample.tokens, kFactors, sample.positions));
  EXPECT_EQ(OptimizeTokens(sample.tokens, kFactors, sample.positions, **prior, 1).error().code,
            ErrorCode::kInternal);
}

}  // namespace
}  // namespace vqc
