// SPDX-License-Identifier: Apache-2.0
#include "entropy/digits.h"

#include <gtest/gtest.h>

#include "entropy/digit_tree.h"
#include "entropy/logistic.h"

namespace vqc {
namespace {

// Walks the id through its digits as a prior does; false where a digit is outside of its alphabet.
bool Fits(const std::vector<Digit>& digits, uint32_t id) {
  uint32_t above = 0, sum = 0;
  for (const Digit& digit : digits) {
    if (digit.top) above = 0;
    const uint32_t value = id / digit.divisor % digit.radix;
    if (value >= AlphabetOf(digit, above)) return false;
    above += value * digit.unit;
    sum += value * digit.divisor;
  }
  return sum == id;
}

// Number of ids that the digits can spell.
uint64_t Spellings(const std::vector<Digit>& digits, size_t from, uint32_t above) {
  if (from == digits.size()) return 1;
  if (digits[from].top) above = 0;
  uint64_t sum = 0;
  for (uint32_t value = 0; value < AlphabetOf(digits[from], above); ++value) {
    sum += Spellings(digits, from + 1, above + value * digits[from].unit);
  }
  return sum;
}

TEST(Digits, EveryIdOfEveryVocabularyHasOneSpelling) {
  for (const uint32_t vocab : {1u, 2u, 3u, 15u, 16u, 17u, 33u, 255u, 256u, 257u, 1000u, 4096u, 4097u, 64000u,
                               65536u, 65537u, (1u << 20) - 1, 1u << 20}) {
    const auto plan = MakeDigitPlan({}, {{vocab}});
    ASSERT_TRUE(plan.ok());
    EXPECT_EQ(Spellings((*plan)[0], 0, 0), vocab);
    for (uint32_t id = 0; id < vocab; id += 1 + vocab / 5000) ASSERT_TRUE(Fits((*plan)[0], id)) << id;
    EXPECT_TRUE(Fits((*plan)[0], vocab - 1));
  }
}

TEST(Digits, FactorsAreDigitsWithTheFirstLeastSignificant) {
  const auto plan = MakeDigitPlan({{8, 5, 100}, {}}, {{4000, 17}});
  ASSERT_TRUE(plan.ok());
  const std::vector<Digit> first = {
      {1, 8, 8, 1, true}, {8, 5, 5, 1, true}, {640, 7, 100, 16, true}, {40, 16, 100, 1, false}};
  const std::vector<Digit> second = {{16, 2, 17, 16, true}, {1, 16, 17, 1, false}};
  EXPECT_EQ((*plan)[0], first);
  EXPECT_EQ((*plan)[1], second);
  EXPECT_EQ(Spellings(first, 0, 0), 4000u);
  for (uint32_t id = 0; id < 4000; ++id) ASSERT_TRUE(Fits(first, id));
}

TEST(Digits, OnlyTheLastFactorHasDigitsThatEndEarly) {
  for (const Factors& factors : {Factors{{20, 3}}, Factors{{4, 100, 2}}, Factors{{257, 2}}}) {
    uint32_t vocab = 1;
    for (const uint32_t factor : factors[0]) vocab *= factor;
    const auto plan = MakeDigitPlan(factors, {{vocab}});
    ASSERT_FALSE(plan.ok());
    EXPECT_EQ(plan.error().code, ErrorCode::kModel);
    EXPECT_NE(plan.error().message.find("level 0 has a factor above 16 before its last"), std::string::npos);
  }
  for (const Factors& factors : {Factors{{3, 20}}, Factors{{32, 3}}, Factors{{256, 48, 5}}}) {
    uint32_t vocab = 1;
    for (const uint32_t factor : factors[0]) vocab *= factor;
    const auto plan = MakeDigitPlan(factors, {{vocab}});
    ASSERT_TRUE(plan.ok());
    EXPECT_EQ(Spellings((*plan)[0], 0, 0), vocab);
    for (uint32_t id = 0; id < vocab; ++id) ASSERT_TRUE(Fits((*plan)[0], id)) << id;
  }
}

TEST(Digits, TwentyBinaryFactorsAreTheMost) {
  EXPECT_TRUE(MakeDigitPlan({std::vector<uint32_t>(20, 2)}, {{1u << 20}}).ok());
  EXPECT_FALSE(MakeDigitPlan({std::vector<uint32_t>(21, 2)}, {{1u << 20}}).ok());
}

TEST(Digits, FewerLevelsThanFactorsAreTheFirstOnes) {
  const auto whole = MakeDigitPlan({{8}, {300}}, std::vector<uint32_t>{8, 300});
  const auto first = MakeDigitPlan({{8}, {300}}, std::vector<uint32_t>{8});
  ASSERT_TRUE(whole.ok() && first.ok());
  EXPECT_TRUE(BeginsWith(*whole, *first));
  EXPECT_FALSE(BeginsWith(*first, *whole));
}

TEST(Digits, RefusesWhatDoesNotFit) {
  EXPECT_FALSE(MakeDigitPlan({}, {}).ok());
  EXPECT_FALSE(MakeDigitPlan({}, {{0}}).ok());
  EXPECT_FALSE(MakeDigitPlan({}, {{kMaxVocab + 1}}).ok());
  EXPECT_FALSE(MakeDigitPlan({{8, 8}}, {{65}}).ok());
  EXPECT_FALSE(MakeDigitPlan({{8, 1, 8}}, {{64}}).ok());
  EXPECT_FALSE(MakeDigitPlan({{65536, 65536}}, {{1}}).ok());
  EXPECT_FALSE(MakeDigitPlan({{8}}, std::vector<uint32_t>{8, 8}).ok());
  EXPECT_FALSE(MakeDigitPlan({}, std::vector<uint32_t>(kMaxTokenLevels + 1, 2)).ok());
}

TEST(DigitTree, EveryValueEndsInItsOwnLeaf) {
  for (uint32_t radix = 2; radix <= kMaxRadix; ++radix) {
    const DigitTree& tree = kDigitTrees[radix];
    for (uint32_t value = 0; value < radix; ++value) {
      uint32_t low = 0, high = radix, depth = 0;
      for (uint32_t k = 0;; ++depth) {
        ASSERT_LT(k, radix - 1);
        ASSERT_EQ(tree[k].low, low);
        ASSERT_EQ(tree[k].high, high);
        const bool upper = value >= tree[k].middle;
        (upper ? low : high) = tree[k].middle;
        k = upper ? tree[k].upper : tree[k].lower;
        if (k == 0) break;
      }
      EXPECT_EQ(low, value);
      EXPECT_EQ(high, value + 1);
      EXPECT_LE(depth, 3u);
    }
  }
}

TEST(Logistic, IsMonotoneSymmetricAndItsInverseReturns) {
  for (int x = -kLogOddsLimit; x < kLogOddsLimit; ++x) {
    EXPECT_LT(Squash(x - 1), 65536);
    EXPECT_LE(Squash(x), Squash(x + 1));
    EXPECT_EQ(Squash(x) + Squash(-x), 65536);
  }
  EXPECT_EQ(Squash(0), 32768);
  EXPECT_EQ(Squash(256), 47911);  // 65536 / (1 + 1 / e)
  EXPECT_EQ(Squash(1 << 30), Squash(kLogOddsLimit));
  for (int x = -1400; x <= 1400; ++x) EXPECT_NEAR(Stretch(Squash(x)), x, 16 + std::abs(x) / 40) << x;
}

}  // namespace
}  // namespace vqc
