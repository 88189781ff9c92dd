// SPDX-License-Identifier: Apache-2.0
// vqcodec eval --classifier and --lpips, with judges by mean colours (tests/support/fake_torch_part.cc).
#include <cmath>
#include <string>

#include "tests/cli/cli_test_base.h"

namespace vqc {
namespace {

class EvalJudgesTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    Write("weights", "of a classifier");
    for (int i = 0; i < 3; ++i) Write("p/" + std::to_string(i) + ".ppm", Ppm(96 + 8 * i, 64, i));
  }

  const std::vector<std::string> command_ = {"eval",    "-r",    "p",      "--classifier", "weights",
                                             "--state", "state", "--json", "-j",           "1"};
};

TEST_F(EvalJudgesTest, JudgesEachPictureAndAllTogether) {
  Write("p/small.ppm", Ppm(63, 64));
  const Ran ran = Run(command_);
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const auto all = ran.Json();
  for (int i = 0; i < 3; ++i) {
    const auto record = all["results"][static_cast<size_t>(i)];
    EXPECT_GT(record["feature_distance"], 0) << record;
    EXPECT_TRUE(record["top1_agreement"] == 0 || record["top1_agreement"] == 1) << record;
  }
  EXPECT_FALSE(all["results"][3].contains("feature_distance"));
  EXPECT_FALSE(all["mean"].contains("feature_distance"));  // not over other pictures than the rest
  EXPECT_GE(all["mean"]["frechet_distance"], 0);           // of those that were judged
}

TEST_F(EvalJudgesTest, ResumedRunsGiveEqualFigures) {
  const Ran whole = Run(command_);
  ASSERT_EQ(whole.exit_code, 0) << whole.err;
  const std::string state = Read("state");
  size_t at = 0;
  for (int line = 0; line < 3; ++line) at = state.find('\n', at) + 1;
  Write("state", state.substr(0, at));
  const auto again = Run(command_).Json();
  for (const char* key : {"feature_distance", "top1_agreement", "frechet_distance"}) {
    EXPECT_EQ(again["mean"][key], whole.Json()["mean"][key]) << key;
  }
  // Figures without a classifier, or by another one, are others.
  Write("weights", "of another");
  EXPECT_EQ(Run(command_).exit_code, 0);
  EXPECT_GT(Read("state").size(), state.size() + 200);
}

TEST_F(EvalJudgesTest, MeasuresLpips) {
  Write("p/small.ppm", Ppm(63, 64));
  Write("p/tiny.ppm", Ppm(15, 64));
  const std::vector<std::string> lpips = {"eval",    "-r",      "p",     "--lpips",
                                          "weights", "--state", "state", "--json"};
  const auto all = Run(lpips).Json();
  for (size_t i = 0; i < 4; ++i) EXPECT_GT(all["results"][i]["lpips"], 0) << all["results"][i];
  EXPECT_FALSE(all["results"][4].contains("lpips"));
  EXPECT_FALSE(all["results"][0].contains("feature_distance"));
  EXPECT_FALSE(all["mean"].contains("frechet_distance"));
  // Both at once are measured anew.
  auto both = lpips;
  both.insert(both.end(), {"--classifier", "weights"});
  const auto record = Run(both).Json()["results"][0];
  EXPECT_EQ(record["lpips"], all["results"][0]["lpips"]);
  EXPECT_TRUE(record.contains("feature_distance")) << record;
}

TEST_F(EvalJudgesTest, IsInTheReportAndOnlyThereWhenAskedFor) {
  ASSERT_EQ(
      Run({"eval", "-r", "p", "--classifier", "weights", "--lpips", "weights", "--report", "out"}).exit_code,
      0);
  EXPECT_NE(Read("out/figures.csv").find(",lpips,frechet_distance,"), std::string::npos);
  EXPECT_NE(Read("out/figures.md").find("- classifier: "), std::string::npos);
  if (const std::string browser = Browser(); !browser.empty()) {
    EXPECT_EQ(std::system(BrowserTest(browser, "out/index.html").c_str()), 0);
  }
  ASSERT_EQ(Run({"eval", "-r", "p", "--report", "other"}).exit_code, 0);
  EXPECT_EQ(Read("other/figures.csv").find("frechet"), std::string::npos);
}

TEST_F(EvalJudgesTest, MistakesAreExplained) {
  ExpectRefusalOf(3, {"eval", "-r", "p", "--classifier", "nowhere"}, "nowhere");
  ExpectRefusalOf(3, {"eval", "-r", "p", "--lpips", "nowhere"}, "nowhere");
  Write("s/0.wav", Wav(5000));
  ExpectRefusalOf(2, {"eval", "-r", "s", "--classifier", "weights"},
                  "--classifier is for models of pictures");
  ExpectRefusalOf(2, {"eval", "-r", "s", "--lpips", "weights"}, "--lpips is for models of pictures");
}

}  // namespace
}  // namespace vqc
