// SPDX-License-Identifier: Apache-2.0
// vqcodec eval --state: a run that goes on where it was stopped.
#include <algorithm>
#include <string>

#include "tests/cli/cli_test_base.h"
#include "tests/cli/eval_figures.h"

namespace vqc {
namespace {

class EvalStateTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    for (int i = 0; i < 4; ++i) Write("p/" + std::to_string(i) + ".ppm", Ppm(96 + 8 * i, 64, i));
  }

  static nlohmann::json Figures(const Ran& ran) { return WithoutTimes(ran.Json()); }

  static int64_t Lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

  // One worker, so that lines are written in the order of the items.
  const std::vector<std::string> command_ = {"eval",    "-r",    "p",      "-m", "image-f16",
                                             "--state", "state", "--json", "-j", "1"};
};

TEST_F(EvalStateTest, GoesOnAfterTheLastWholeLine) {
  const Ran whole = Run(command_);
  ASSERT_EQ(whole.exit_code, 0) << whole.err;
  const std::string state = Read("state");
  ASSERT_EQ(Lines(state), 1 + 4);
  // Stopped in the middle of the third item's line.
  size_t at = 0;
  for (int line = 0; line < 3; ++line) at = state.find('\n', at) + 1;
  Write("state", state.substr(0, at + 20));
  const Ran again = Run(command_);
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(Figures(again), Figures(whole));
  EXPECT_EQ(Read("state").substr(0, at), state.substr(0, at));
  EXPECT_EQ(Lines(Read("state")), 1 + 4);
  // Times of what was not measured again are those of the first run, to the last digit.
  EXPECT_EQ(again.Json()["results"][0], whole.Json()["results"][0]);
}

TEST_F(EvalStateTest, MeasuresAnewWhatHasChanged) {
  ASSERT_EQ(Run(command_).exit_code, 0);
  Write("p/1.ppm", Ppm(40, 40, 9));
  AddModel("image-f16", 0.5f);
  const Ran again = Run(command_);
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(again.Json()["results"][1]["width"], 40);
  EXPECT_EQ(Lines(Read("state")), 1 + 4 + 4);
}

TEST_F(EvalStateTest, ReportHasItsPicturesAllTheSame) {
  std::vector<std::string> command = command_;
  ASSERT_EQ(Run(command).exit_code, 0);
  command.insert(command.end(), {"--report", "out", "--report-items", "2"});
  const Ran ran = Run(command);
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(Lines(Read("state")), 1 + 4 + 2);
  const std::string page = Read("out/index.html");
  size_t shown = 0;
  for (size_t at = page.find("\"decoded\":"); at != std::string::npos; at = page.find("\"decoded\":", at + 1))
    ++shown;
  EXPECT_EQ(shown, 2u);
}

TEST_F(EvalStateTest, AnotherFileIsRefused) {
  Write("state", "important\n");
  const Ran ran = Run(command_);
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_TRUE(ran.IsOneLineError()) << ran.err;
  EXPECT_NE(ran.err.find("state is not a state of eval"), std::string::npos) << ran.err;
  EXPECT_EQ(Read("state"), "important\n");
  Write("state", "vqcodec eval state 1\n{\"item\": 3}\n");
  EXPECT_EQ(Run(command_).exit_code, 2);
}

}  // namespace
}  // namespace vqc
