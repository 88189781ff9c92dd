// SPDX-License-Identifier: Apache-2.0
#include "eval/bd_rate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "eval/pchip.h"

namespace vqc {
namespace {

std::vector<RatePoint> CurveOf(const nlohmann::json& rates_and_qualities) {
  std::vector<RatePoint> curve;
  for (size_t i = 0; i < rates_and_qualities[0].size(); ++i) {
    curve.push_back({rates_and_qualities[0][i], rates_and_qualities[1][i]});
  }
  return curve;
}

const std::vector<RatePoint> kCurve = {{0.1, 27}, {0.2, 30}, {0.4, 32.5}, {0.8, 36}};

std::vector<RatePoint> Scaled(double rate, double quality) {
  std::vector<RatePoint> curve = kCurve;
  for (RatePoint& point : curve) point = {point.rate * rate, point.quality + quality};
  return curve;
}

TEST(BdRate, AgreesWithTheTrustedImplementation) {
  const auto golden =
      nlohmann::json::parse(std::ifstream(std::string(VQC_SOURCE_DIR) + "/tests/golden/metrics.json"));
  ASSERT_GE(golden["curves"].size(), 3u);
  for (const auto& row : golden["curves"]) {
    const auto reference = CurveOf(row["reference"]), test = CurveOf(row["test"]);
    EXPECT_NEAR(*BdRate(reference, test), row["bd_rate"].get<double>(), 1e-9) << row;
    EXPECT_NEAR(*BdQuality(reference, test), row["bd_quality"].get<double>(), 1e-9) << row;
    if (row["rate"].is_null()) continue;
    EXPECT_NEAR(**RateAt(reference, row["quality"]), row["rate"].get<double>(), 1e-12) << row;
  }
}

TEST(BdRate, OfAConstantFactorAndShiftAreThose) {
  EXPECT_NEAR(*BdRate(kCurve, Scaled(0.75, 0)), -0.25, 1e-12);
  EXPECT_NEAR(*BdQuality(kCurve, Scaled(1, 1.5)), 1.5, 1e-12);
  EXPECT_NEAR(*BdRate(kCurve, kCurve), 0, 1e-12);
}

TEST(BdRate, DoesNotDependOnTheOrderOfPoints) {
  const std::vector<RatePoint> shuffled = {kCurve[2], kCurve[0], kCurve[3], kCurve[1]};
  EXPECT_EQ(*BdRate(shuffled, Scaled(0.5, 0)), *BdRate(kCurve, Scaled(0.5, 0)));
}

TEST(BdRate, WhatIsNoCurveIsRefused) {
  EXPECT_FALSE(BdRate(kCurve, {{0.1, 30}}).ok());
  EXPECT_FALSE(BdRate(kCurve, {}).ok());
  EXPECT_FALSE(BdRate(kCurve, {{0.1, 30}, {0.2, 30}}).ok());  // flat
  EXPECT_FALSE(BdRate(kCurve, {{0.1, 30}, {0.1, 31}}).ok());  // one rate
  EXPECT_FALSE(BdRate(kCurve, {{0, 30}, {0.1, 31}}).ok());
  EXPECT_FALSE(BdRate(kCurve, {{0.1, 30}, {0.2, INFINITY}}).ok());
  EXPECT_FALSE(BdRate(kCurve, {{0.1, NAN}, {0.2, 31}}).ok());
  EXPECT_FALSE(BdRate(kCurve, Scaled(1, 50)).ok());  // nothing shared
  EXPECT_FALSE(BdQuality(kCurve, Scaled(100, 0)).ok());
}

TEST(RateAt, IsNothingOutsideTheCurve) {
  EXPECT_NEAR(**RateAt(kCurve, 30), 0.2, 1e-12);
  EXPECT_NEAR(**RateAt(kCurve, 36), 0.8, 1e-12);
  EXPECT_FALSE(RateAt(kCurve, 26.9)->has_value());
  EXPECT_FALSE(RateAt(kCurve, 36.1)->has_value());
  EXPECT_FALSE(RateAt(kCurve, NAN)->has_value());
}

TEST(Pchip, IntegratesWhatItDraws) {
  const Pchip pchip({0, 1, 3, 4, 6}, {1, 1, 5, 4, 4});
  const int steps = 20000;
  double sum = 0;
  for (int i = 0; i < steps; ++i) sum += pchip.At(0.5 + 5.0 * (i + 0.5) / steps);
  EXPECT_NEAR(pchip.Integral(0.5, 5.5), sum * 5.0 / steps, 1e-6);
  for (double at = 1; at <= 3; at += 0.01) EXPECT_LE(pchip.At(at), 5.0 + 1e-12);  // no overshoot
}

// Items whose rate in the test curve is a share of the reference's, alternating around `share`.
ItemCurve Items(size_t count, double share, double spread) {
  ItemCurve curve;
  for (const RatePoint& point : kCurve) {
    curve.emplace_back();
    for (size_t i = 0; i < count; ++i) {
      curve.back().push_back({point.rate * (share + (i % 2 ? spread : -spread)), point.quality});
    }
  }
  return curve;
}

TEST(Bootstrap, HoldsTheValueAndNarrowsWithMoreItems) {
  const auto few = BootstrapDelta(Items(8, 1, 0), Items(8, 0.8, 0.2), &BdRate);
  const auto many = BootstrapDelta(Items(200, 1, 0), Items(200, 0.8, 0.2), &BdRate);
  ASSERT_TRUE(few.ok() && many.ok());
  EXPECT_NEAR(few->value, -0.2, 1e-12);
  EXPECT_LT(few->low, -0.2);
  EXPECT_GT(few->high, -0.2);
  EXPECT_LT(many->high - many->low, (few->high - few->low) / 2);
  // 0.2 / sqrt(200) is the deviation of the mean: the interval is 2 x 1.96 of them.
  EXPECT_NEAR(many->high - many->low, 2 * 1.96 * 0.2 / std::sqrt(200.0), 0.01);
}

TEST(Bootstrap, GivesTheSameEveryTime) {
  const auto a = BootstrapDelta(Items(9, 1, 0.1), Items(9, 0.8, 0.2), &BdQuality);
  const auto b = BootstrapDelta(Items(9, 1, 0.1), Items(9, 0.8, 0.2), &BdQuality);
  EXPECT_EQ(a->low, b->low);
  EXPECT_EQ(a->high, b->high);
}

TEST(Bootstrap, OtherItemsAreRefused) {
  EXPECT_FALSE(BootstrapDelta(Items(8, 1, 0), Items(9, 1, 0), &BdRate).ok());
  EXPECT_FALSE(BootstrapDelta({}, {}, &BdRate).ok());
}

TEST(Bootstrap, OfAMean) {
  const std::vector<double> values = {1, 2, 3, 4, 5, 6, 7, 8};
  const Interval95 interval = BootstrapMean(values, 2000);
  EXPECT_DOUBLE_EQ(interval.value, 4.5);
  const double deviation = std::sqrt(5.25 / 8);
  EXPECT_NEAR(interval.low, 4.5 - 1.96 * deviation, 0.15);
  EXPECT_NEAR(interval.high, 4.5 + 1.96 * deviation, 0.15);
}

}  // namespace
}  // namespace vqc
