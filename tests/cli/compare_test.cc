// SPDX-License-Identifier: Apache-2.0
// vqcodec compare, and what eval says about tokens and several models.
#include <cmath>
#include <map>

#include "tests/cli/cli_test_base.h"

namespace vqc {
namespace {

// A gray PPM of one value everywhere, which has a PSNR that is known.
std::string Flat(int width, int height, int value) {
  return "P6\n" + std::to_string(width) + " " + std::to_string(height) + "\n255\n" +
         std::string(static_cast<size_t>(width) * height * 3, static_cast<char>(value));
}

TEST_F(CliTest, CompareMeasuresPicturesPairedByName) {
  for (int i = 0; i < 4; ++i) {
    Write("a/" + std::to_string(i) + ".ppm", Flat(20, 12, 100));
    Write("b/" + std::to_string(i) + ".ppm", Flat(20, 12, 101 + i));
  }
  const Ran ran = Run({"compare", "a", "b", "--json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const auto json = ran.Json();
  ASSERT_EQ(json["results"].size(), 4u);
  double sum = 0;
  for (int i = 0; i < 4; ++i) {
    const double expected = 20 * std::log10(255.0 / (i + 1));
    EXPECT_NEAR(json["results"][i]["psnr"].get<double>(), expected, 1e-9);
    EXPECT_FALSE(json["results"][i].contains("ms_ssim"));  // too small for it
    EXPECT_EQ(json["results"][i]["bytes"], Read("b/0.ppm").size());
    sum += expected;
  }
  EXPECT_NEAR(json["mean"]["psnr"].get<double>(), sum / 4, 1e-9);
  EXPECT_LT(json["intervals"]["psnr"]["low"].get<double>(), sum / 4);
  EXPECT_GT(json["intervals"]["psnr"]["high"].get<double>(), sum / 4);
  EXPECT_FALSE(json["mean"].contains("ms_ssim"));
  const Ran table = Run({"compare", "a", "b"}), again = Run({"compare", "a", "b", "-j", "1"});
  EXPECT_NE(table.out.find("95 % interval from"), std::string::npos) << table.out;
  EXPECT_EQ(table.out, again.out);
}

TEST_F(CliTest, CompareReportsWhatCannotBePairedAndGoesOn) {
  Write("a/one.ppm", Ppm(16, 16));
  Write("a/two.ppm", Ppm(16, 16));
  Write("a/three.ppm", Ppm(16, 16));
  Write("b/one.ppm", Ppm(16, 16, 1));
  Write("b/two.ppm", Ppm(16, 17));
  Write("b/four.ppm", Ppm(16, 16));
  const Ran ran = Run({"compare", "a", "b", "--json"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_EQ(ran.Json()["failed"], 3);
  EXPECT_EQ(ran.Json()["mean"]["pictures"], 1);
  EXPECT_NE(ran.err.find("three.ppm: has no counterpart of the same name in the second folder"),
            std::string::npos)
      << ran.err;
  EXPECT_NE(ran.err.find("four.ppm: has no counterpart of the same name in the first folder"),
            std::string::npos);
  EXPECT_NE(ran.err.find("is 16 x 16 in colour"), std::string::npos);
  EXPECT_NE(ran.err.find("is 16 x 17 in colour"), std::string::npos);
}

TEST_F(CliTest, CompareRefusesWhatMakesNoSense) {
  Write("a/one.ppm", Ppm(16, 16));
  Write("b/one.ppm", Ppm(16, 16));
  Write("b/one.pgm", "P5\n1 1\n255\n0");
  EXPECT_EQ(Run({"compare", "a"}).exit_code, 2);
  EXPECT_EQ(Run({"compare", "a", "a/one.ppm"}).exit_code, 2);
  EXPECT_EQ(Run({"compare", "a", "b"}).exit_code, 2);  // two pictures of one name
  EXPECT_EQ(Run({"compare", "--reference", "x.json"}).exit_code, 2);
  EXPECT_EQ(Run({"compare", "a", "a", "--reference", "x.json", "--test", "x.json"}).exit_code, 2);
  EXPECT_EQ(Run({"compare", "--reference", "x.json", "--test", "x.json"}).exit_code, 3);
  EXPECT_NE(Run({"compare", "nowhere.ppm", "a/one.ppm"}).exit_code, 0);
}

// Figures as eval --json prints them: `share` of the rates of a fixed curve.
std::string Figures(double share) {
  nlohmann::json results = nlohmann::json::array();
  for (int setting = 0; setting < 4; ++setting) {
    for (int item = 0; item < 6; ++item) {
      results.push_back({{"input", "k/" + std::to_string(item) + ".png"},
                         {"codec", "made-up"},
                         {"setting", std::to_string(setting)},
                         {"bpp", share * 0.1 * (1 << setting) * (1 + 0.05 * item)},
                         {"psnr", 27 + 3 * setting + 0.2 * item},
                         {"gmsd", 0.3 - 0.05 * setting},
                         {"error", nullptr}});
    }
  }
  return nlohmann::json{{"results", results}}.dump();
}

TEST_F(CliTest, CompareGivesDeltasOfCurves) {
  Write("a.json", Figures(1));
  Write("b.json", Figures(0.8));
  const Ran ran = Run({"compare", "--reference", "a.json", "--test", "b.json", "--json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const nlohmann::json compared = ran.Json();
  for (const auto& row : compared["curves"]) {
    if (row["metric"] == "psnr" || row["metric"] == "gmsd") {
      EXPECT_NEAR(row["bd_rate"]["value"].get<double>(), -0.2, 1e-9) << row;
      EXPECT_LE(row["bd_rate"]["low"].get<double>(), row["bd_rate"]["high"].get<double>());
      const double quality = row["bd_quality"]["value"].get<double>();
      EXPECT_TRUE(row["metric"] == "psnr" ? quality > 0 : quality < 0) << row;
      EXPECT_LE(row["bd_quality"]["low"].get<double>(), quality);
    } else {
      EXPECT_TRUE(row["error"].is_string()) << row;
    }
  }
  EXPECT_NE(Run({"compare", "--reference", "a.json", "--test", "b.json"}).out.find("BD-rate -20.0 %"),
            std::string::npos);
  EXPECT_EQ(
      Run({"compare", "--reference", "a.json", "--test", "b.json", "--test-codec", "made-up"}).exit_code, 0);
  EXPECT_EQ(Run({"compare", "--reference", "a.json", "--test", "b.json", "--test-codec", "other"}).exit_code,
            3);
  Write("c.json", "{\"results\": [{\"input\": 3}]}");
  const Ran bad = Run({"compare", "--reference", "a.json", "--test", "c.json"});
  EXPECT_EQ(bad.exit_code, 3);
  EXPECT_TRUE(bad.IsOneLineError()) << bad.err;
}

TEST_F(CliTest, EvalCountsTokensOfEachModel) {
  AddModel("other", 0.5f);
  Write("a.ppm", Ppm(64, 48));
  Write("b.ppm", Ppm(33, 70, 3));
  const Ran ran = Run({"eval", "a.ppm", "b.ppm", "-m", "image-f16,other", "-j", "2", "--json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const auto json = ran.Json();
  ASSERT_EQ(json["results"].size(), 4u);
  EXPECT_EQ(json["results"][0]["setting"], "image-f16");
  EXPECT_EQ(json["results"][3]["setting"], "other");
  ASSERT_EQ(json["models"].size(), 2u);
  const auto level = json["models"][0]["levels"][0];
  EXPECT_EQ(level["tokens"], 8 * 6 + 5 * 9);
  EXPECT_EQ(level["codebook_size"], 512);
  EXPECT_NEAR(level["usage_bound"].get<double>(), 93.0 / 512, 1e-12);
  EXPECT_LE(level["usage"].get<double>(), level["usage_bound"].get<double>());
  EXPECT_NEAR(level["perplexity"].get<double>(), std::exp2(level["entropy"].get<double>()), 1e-9);
  EXPECT_NEAR(json["results"][0]["bits_per_token_raw"].get<double>(), 9, 1e-12);
  // One model of two at a time gives the same figures.
  const auto alone = Run({"eval", "a.ppm", "b.ppm", "-m", "other", "-j", "1", "--json"}).Json();
  EXPECT_EQ(alone["models"][0]["levels"], json["models"][1]["levels"]);
  EXPECT_EQ(alone["mean"]["psnr"], json["models"][1]["mean"]["psnr"]);
  EXPECT_GT(alone["results"][0]["peak_memory_encode"].get<double>(), 1e5);
  EXPECT_FALSE(json["results"][0].contains("peak_memory_encode"));
}

TEST_F(CliTest, EvalGoesOnAfterAnItemThatFails) {
  Write("a.ppm", Ppm(64, 48));
  Write("bad.ppm", "P6\n64 48\n255\nshort");
  const Ran ran = Run({"eval", "a.ppm", "bad.ppm", "--json"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_TRUE(ran.Json()["results"][1]["error"].is_string());
  EXPECT_EQ(ran.Json()["mean"]["pictures"], 1);
  EXPECT_EQ(ran.Json()["mean"]["psnr"], ran.Json()["results"][0]["psnr"]);
}

TEST_F(CliTest, EvalMeasuresOtherCodecsWhereTheyAre) {
  for (int i = 0; i < 3; ++i) Write("p/" + std::to_string(i) + ".ppm", Ppm(192, 176, i));
  // What is not installed is said, and is no failure.
  const Ran none =
      Run({"eval", "-r", "p", "--against", "webp", "--json"}, {.environment = {"PATH=/nonexistent"}});
  EXPECT_EQ(none.exit_code, 0) << none.err;
  EXPECT_EQ(none.Json()["results"].size(), 3u);
  EXPECT_NE(none.err.find("webp: cwebp is not installed; apt-get install webp"), std::string::npos)
      << none.err;
  EXPECT_EQ(Run({"eval", "-r", "p", "--against", "gif"}).exit_code, 2);

  const Ran ran = Run({"eval", "-r", "p", "--against", "jpeg,webp,avif,jxl", "--json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  std::map<std::string, std::vector<nlohmann::json>> curves;
  const auto json = ran.Json();
  for (const auto& model : json["models"]) curves[model["codec"]].push_back(model["mean"]);
  size_t there = 0;
  for (const std::string codec : {"jpeg", "webp", "avif", "jxl"}) {
    if (ran.err.find("eval: " + codec + ": ") != std::string::npos) {
      EXPECT_FALSE(curves.contains(codec));
      continue;
    }
    ++there;
    ASSERT_GE(curves[codec].size(), 4u) << codec << ran.err;
    EXPECT_LT(curves[codec].front()["bpp"], curves[codec].back()["bpp"]) << codec;
    EXPECT_LT(curves[codec].front()["psnr"], curves[codec].back()["psnr"]) << codec;
    EXPECT_EQ(curves[codec].front()["pictures"], 3) << codec;
    EXPECT_NE(ran.out.find("\"codec\":\"" + codec + "\",\"setting\":\"q"), std::string::npos);
  }
  if (there == 0) GTEST_SKIP() << ran.err;
}

}  // namespace
}  // namespace vqc
