// SPDX-License-Identifier: Apache-2.0
// Metrics against trusted implementations: tests/oracle/metrics.py made tests/golden/metrics.json.
#include "eval/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/eval/oracle_pictures.h"
#include "tests/support/random_clip.h"

namespace vqc {
namespace {

nlohmann::json Golden() {
  return nlohmann::json::parse(std::ifstream(std::string(VQC_SOURCE_DIR) + "/tests/golden/metrics.json"));
}

TEST(Metrics, AgreeWithTrustedImplementations) {
  const nlohmann::json golden = Golden();
  size_t compared = 0;
  for (const auto& pair : golden["pairs"]) {
    const OraclePicture original = OracleOriginal(pair["height"], pair["width"], pair["channels"]);
    const Clip a = original.ToClip(), b = OracleDecoded(original, pair["kind"]).ToClip();
    for (const MetricRow& row : Metrics()) {
      const std::string name(row.name);
      if (!pair["metrics"].contains(name)) continue;
      const auto value = row.measure(a, b);
      ASSERT_TRUE(value.ok()) << value.error().message;
      EXPECT_NEAR(*value, pair["metrics"][name].get<double>(), golden["tolerances"][name].get<double>())
          << name << " of " << pair;
      ++compared;
    }
  }
  EXPECT_GE(compared, 100u);
}

TEST(Metrics, EachHasAGolden) {
  const nlohmann::json golden = Golden();
  for (const MetricRow& row : Metrics()) {
    EXPECT_TRUE(golden["pairs"][0]["metrics"].contains(std::string(row.name))) << row.name;
  }
}

TEST(Metrics, EachIsBestOnEqualPictures) {
  const Clip clip = RandomImage(3, 180, 200), other = RandomImage(3, 180, 200, 8, 2);
  for (const MetricRow& row : Metrics()) {
    const double best = *row.measure(clip, clip), worse = *row.measure(clip, other);
    EXPECT_TRUE(row.higher_is_better ? best > worse : best < worse) << row.name;
    if (row.unit.empty()) {
      EXPECT_NEAR(best, row.higher_is_better ? 1 : 0, 1e-12) << row.name;
    }
  }
}

TEST(Metrics, EachIgnoresAlphaAndTakesGrayAsThreeEqualPlanes) {
  Clip a = RandomImage(2, 190, 176), b = RandomImage(2, 190, 176, 8, 2);
  Clip gray_a = a, gray_b = b, rgb_a = a, rgb_b = b;
  for (Clip* clip : {&gray_a, &gray_b}) {
    clip->channels = 1;
    clip->data.resize(clip->PlaneSize());
  }
  for (Clip* clip : {&rgb_a, &rgb_b}) {
    clip->channels = 3;
    clip->data.resize(clip->PlaneSize());
    const std::vector<float> plane = clip->data;
    for (int i = 0; i < 2; ++i) clip->data.insert(clip->data.end(), plane.begin(), plane.end());
  }
  for (const MetricRow& row : Metrics()) {
    EXPECT_EQ(*row.measure(a, b), *row.measure(gray_a, gray_b)) << row.name;
    EXPECT_NEAR(*row.measure(rgb_a, rgb_b), *row.measure(gray_a, gray_b), 1e-6) << row.name;
  }
}

TEST(Metrics, EachIsFiniteAtItsSmallestSide) {
  for (const MetricRow& row : Metrics()) {
    const int side = row.smallest_side;
    const auto value = row.measure(RandomImage(3, side, side), RandomImage(3, side, side, 8, 2));
    ASSERT_TRUE(value.ok()) << row.name;
    EXPECT_TRUE(std::isfinite(*value)) << row.name;
    if (side == 1) continue;
    const Clip narrow = RandomImage(3, side, side - 1);
    EXPECT_FALSE(Fits(row, narrow));
    const auto refused = row.measure(narrow, narrow);
    ASSERT_FALSE(refused.ok()) << row.name;
    EXPECT_NE(refused.error().message.find(std::to_string(side)), std::string::npos)
        << refused.error().message;
  }
}

TEST(Metrics, OtherSizesAreRefused) {
  for (const MetricRow& row : Metrics()) {
    EXPECT_FALSE(row.measure(RandomImage(3, 200, 180), RandomImage(3, 200, 181)).ok()) << row.name;
    EXPECT_FALSE(row.measure(RandomImage(3, 200, 180), RandomImage(1, 200, 180)).ok()) << row.name;
  }
}

}  // namespace
}  // namespace vqc
