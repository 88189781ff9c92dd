// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/audio/concealment.h"

#include <gtest/gtest.h>

namespace vqc {
namespace {

constexpr int kRate = 1000;

// What becomes of `count` samples of that value.
std::vector<float> After(Concealment& concealment, size_t count, float value, bool lost) {
  concealment.Add(count, lost);
  return concealment.Apply(std::vector<float>(count, value));
}

float Loudest(const std::vector<float>& samples) {
  float most = 0;
  for (const float sample : samples) most = std::max(most, std::abs(sample));
  return most;
}

TEST(Concealment, FadesWhatIsMadeUpAndReturns) {
  Concealment concealment(kRate);
  EXPECT_EQ(After(concealment, 100, 0.5f, false), std::vector<float>(100, 0.5f));
  const auto lost = After(concealment, 400, -0.9f, true);
  ASSERT_EQ(lost.size(), 400u);
  EXPECT_LE(Loudest(lost), 0.5f) << "no louder than what was heard";
  EXPECT_TRUE(std::is_sorted(lost.begin(), lost.end())) << "to silence";
  EXPECT_LT(std::abs(lost[60 + 120]), 0.9f * 0.06f);  // three time constants of 60 ms
  const auto back = After(concealment, 200, 0.4f, false);
  EXPECT_TRUE(std::is_sorted(back.begin(), back.end()));
  EXPECT_FLOAT_EQ(back[130], 0.4f) << "within 120 samples";
}

TEST(Concealment, WhatFollowsAGapDoesNotOvershootByMoreThan2Decibels) {
  Concealment concealment(kRate);
  After(concealment, 100, 0.3f, false);
  After(concealment, 100, 0.3f, true);
  EXPECT_FLOAT_EQ(Loudest(After(concealment, 250, -0.9f, false)), 1.26f * 0.3f);
  EXPECT_EQ(After(concealment, 100, -0.9f, false), std::vector<float>(100, -0.9f)) << "250 ms later";
}

// Gaps without end do not hold the level down for good.
TEST(Concealment, TheLevelRisesFromGapToGap) {
  Concealment concealment(kRate);
  After(concealment, 100, 0.2f, false);
  float most = 0.2f;
  for (int gap = 0; gap < 4; ++gap) {
    After(concealment, 40, 0.5f, true);
    most *= 1.26f;
    EXPECT_FLOAT_EQ(Loudest(After(concealment, 200, 0.9f, false)), std::min(most, 0.9f)) << gap;
  }
}

TEST(Concealment, OvershootsDoNotAddUpFromGapToGap) {
  Concealment concealment(kRate);
  After(concealment, 100, 0.2f, false);
  for (int gap = 0; gap < 9; ++gap) {
    After(concealment, 40, 0.5f, true);
    EXPECT_LE(Loudest(After(concealment, 80, 0.9f, false)), 1.26f * 0.2f) << gap;
  }
}

TEST(Concealment, AGapBeforeAnythingWasHeardLimitsNothing) {
  Concealment concealment(kRate);
  EXPECT_EQ(Loudest(After(concealment, 100, 0.7f, true)), 0.0f);
  EXPECT_LE(Loudest(After(concealment, 50, 0.7f, false)), 0.35f) << "it comes in slowly";
  EXPECT_FLOAT_EQ(Loudest(After(concealment, 200, 0.7f, false)), 0.7f);
  Concealment quiet(kRate);
  After(quiet, 100, 0.001f, false);
  After(quiet, 100, 0.0f, true);
  EXPECT_FLOAT_EQ(Loudest(After(quiet, 250, 0.7f, false)), 0.1f)
      << "a little, where only silence came before";
}

}  // namespace
}  // namespace vqc
