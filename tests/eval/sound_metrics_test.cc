// SPDX-License-Identifier: Apache-2.0
#include "eval/sound_metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "eval/stoi.h"
#include "tests/eval/oracle_sounds.h"

namespace vqc {
namespace {

Clip Sound(const std::vector<int64_t>& samples, int rate) {
  Clip clip;
  clip.modality = Modality::kAudio;
  clip.frames = static_cast<int>(samples.size());
  clip.rate = rate;
  for (const int64_t sample : samples) clip.data.push_back(static_cast<float>(sample) / 32768.0f);
  return clip;
}

TEST(SoundMetrics, AgreeWithTrustedImplementations) {
  // docs/metrics.md states these.
  const std::map<std::string, double> tolerances = {
      {"si_sdr", 1e-8}, {"stoi", 1e-7}, {"estoi", 1e-5}, {"mel_distance", 1e-8}, {"stft_distance", 1e-8}};
  std::ifstream file(std::string(VQC_SOURCE_DIR) + "/tests/golden/sound_metrics.json");
  const auto rows = nlohmann::json::parse(file);
  ASSERT_EQ(rows.size(), 20u);
  for (const auto& row : rows) {
    const int rate = row["rate"];
    const auto x = OracleSound(rate), y = Degraded(x, row["kind"]);
    int64_t sum = 0;
    for (size_t i = 0; i < x.size(); ++i) sum += x[i] + 3 * y[i];
    ASSERT_EQ(sum, row["sum"].get<int64_t>()) << "the signals differ";
    for (const SoundMetricRow& metric : SoundMetrics()) {
      const auto value = MeasureSound(metric, Sound(x, rate), Sound(y, rate));
      ASSERT_TRUE(value.ok()) << value.error().message;
      EXPECT_NEAR(*value, row[std::string(metric.name)].get<double>(),
                  tolerances.at(std::string(metric.name)))
          << metric.name << " of " << row["kind"] << " at " << rate;
    }
  }
}

TEST(SoundMetrics, TheBestValueIsThatOfEqualSounds) {
  const Clip clip = Sound(OracleSound(16000), 16000);
  for (const SoundMetricRow& metric : SoundMetrics()) {
    const auto value = MeasureSound(metric, clip, clip);
    ASSERT_TRUE(value.ok());
    if (metric.name == "si_sdr") {
      EXPECT_GT(*value, 200);
    } else {
      EXPECT_NEAR(*value, metric.higher_is_better ? 1 : 0, 1e-9) << metric.name;
    }
  }
}

TEST(SoundMetrics, SilenceAndShortSoundsHaveDefinedValues) {
  Clip silence = Sound(std::vector<int64_t>(20000, 0), 16000);
  const Clip noise = Sound(Degraded(std::vector<int64_t>(20000, 0), "noisy"), 16000);
  for (const SoundMetricRow& metric : SoundMetrics()) {
    const auto value = MeasureSound(metric, silence, noise);
    ASSERT_TRUE(value.ok());
    EXPECT_EQ(std::isnan(*value), metric.name == "si_sdr") << metric.name;
    EXPECT_TRUE(MeasureSound(metric, Sound({1, 2, 3}, 16000), Sound({1, 2, 2}, 16000)).ok());
  }
  EXPECT_EQ(*StoiOf(std::vector<double>(100, 0.1), std::vector<double>(100, 0.1), 16000, false), 1e-5);
  EXPECT_FALSE(StoiOf({}, {}, 4000, false).ok());
  silence.rate = 8000;
  EXPECT_FALSE(MeasureSound(SoundMetrics()[0], silence, noise).ok());
}

TEST(SoundMetrics, ChannelsAreAveraged) {
  const auto x = OracleSound(8000), y = Degraded(x, "noisy");
  Clip a = Sound(x, 8000), b = Sound(y, 8000), stereo_a = a, stereo_b = a;
  stereo_a.channels = stereo_b.channels = 2;
  stereo_a.data.clear();
  stereo_b.data.clear();
  for (size_t i = 0; i < x.size(); ++i) {
    stereo_a.data.insert(stereo_a.data.end(), {a.data[i], a.data[i]});
    stereo_b.data.insert(stereo_b.data.end(), {a.data[i], b.data[i]});
  }
  const SoundMetricRow& stoi = SoundMetrics()[1];
  EXPECT_NEAR(*MeasureSound(stoi, stereo_a, stereo_b), (1 + *MeasureSound(stoi, a, b)) / 2, 1e-9);
}

}  // namespace
}  // namespace vqc
