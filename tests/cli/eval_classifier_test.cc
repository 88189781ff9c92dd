// SPDX-License-Identifier: Apache-2.0
// vqcodec eval --classifier, with a judge by mean colours (tests/support/fake_torch_part.cc).
#include <cmath>
#include <string>

#include "tests/cli/cli_test_base.h"

namespace vqc {
namespace {

class EvalClassifierTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    Write("weights", "of a classifier");
    for (int i = 0; i < 3; ++i) Write("p/" + std::to_string(i) + ".ppm", Ppm(96 + 8 * i, 64, i));
  }

  const std::vector<std::string> command_ = {"eval",    "-r",    "p",      "--classifier", "weights",
                                             "--state", "state", "--json", "-j",           "1"};
};

TEST_F(EvalClassifierTest, JudgesEachPictureAndAllTogether) {
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

TEST_F(EvalClassifierTest, ResumedRunsGiveEqualFigures) {
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

TEST_F(EvalClassifierTest, IsInTheReportAndOnlyThereWhenAskedFor) {
  ASSERT_EQ(Run({"eval", "-r", "p", "--classifier", "weights", "--report", "out"}).exit_code, 0);
  EXPECT_NE(Read("out/figures.csv").find(",frechet_distance,"), std::string::npos);
  EXPECT_NE(Read("out/figures.md").find("- classifier: "), std::string::npos);
  if (const std::string browser = Browser(); !browser.empty()) {
    EXPECT_EQ(std::system(BrowserTest(browser, "out/index.html").c_str()), 0);
  }
  ASSERT_EQ(Run({"eval", "-r", "p", "--report", "other"}).exit_code, 0);
  EXPECT_EQ(Read("other/figures.csv").find("frechet"), std::string::npos);
}

TEST_F(EvalClassifierTest, MistakesAreExplained) {
  ExpectRefusalOf(3, {"eval", "-r", "p", "--classifier", "nowhere"}, "nowhere");
  Write("s/0.wav", Wav(5000));
  ExpectRefusalOf(2, {"eval", "-r", "s", "--classifier", "weights"},
                  "--classifier is for models of pictures");
}

}  // namespace
}  // namespace vqc
