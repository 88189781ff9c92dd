// SPDX-License-Identifier: Apache-2.0
// vqcodec eval on sound: levels as points of a curve, real and nominal rates, other codecs, report and state.
#include <algorithm>
#include <cstdlib>
#include <string>

#include "tests/cli/cli_test_base.h"
#include "tests/cli/eval_figures.h"

namespace vqc {
namespace {

class EvalSoundTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    for (int i = 0; i < 3; ++i) Write("s/" + std::to_string(i) + ".wav", Wav(30000u + 500u * i, 1, 24000, i));
  }

  const std::vector<std::string> command_ = {"eval", "-r", "s", "--levels", "1,2,7", "--json"};
};

TEST_F(EvalSoundTest, LevelsArePointsOfOneCurveWithRealAndNominalRates) {
  const Ran ran = Run(command_);
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const auto all = ran.Json();
  ASSERT_EQ(all["results"].size(), 6u);  // the model has two levels: 7 is all of them
  ASSERT_EQ(all["models"].size(), 2u);
  for (uint32_t levels : {1u, 2u}) {
    const auto& record = all["results"][3 * (levels - 1) + 1];
    EXPECT_EQ(record["codec"], "speech-rvq");
    EXPECT_EQ(record["setting"], levels == 1 ? "1 level" : "2 levels");
    EXPECT_EQ(record["levels"], levels);
    EXPECT_EQ(record["frames"], 30500);
    const uint32_t tokens = 96 * levels;
    const double seconds = 30500.0 / 24000;
    EXPECT_EQ(record["tokens"], tokens);
    EXPECT_NEAR(record["kbps_nominal"].get<double>(), 4e-3 * tokens / seconds, 1e-12);
    EXPECT_NEAR(record["kbps"].get<double>(), 8e-3 * record["bytes"].get<double>() / seconds, 1e-12);
    EXPECT_LT(record["kbps_payload"], record["kbps"]);
    // The bytes are those of the file that encode writes.
    ASSERT_EQ(Run({"encode", "s/1.wav", "-o", "a.vqc", "-f"}).exit_code, 0);
    if (levels == 1) {
      ASSERT_EQ(Run({"trim", "--levels", "1", "a.vqc", "-o", "b.vqc", "-f"}).exit_code, 0);
    }
    EXPECT_EQ(record["bytes"], Read(levels == 1 ? "b.vqc" : "a.vqc").size());
    for (const char* key : {"si_sdr", "stoi", "estoi", "mel_distance", "stft_distance", "seconds_encode",
                            "seconds_decode_network", "seconds_metrics"}) {
      EXPECT_TRUE(record[key].is_number()) << key;
    }
    EXPECT_EQ(all["models"][levels - 1]["levels"].size(), levels);
    EXPECT_EQ(all["models"][levels - 1]["mean"]["sounds"], 3);
  }
  EXPECT_GT(all["models"][1]["mean"]["si_sdr"], all["models"][0]["mean"]["si_sdr"]);
  EXPECT_GT(all["models"][1]["mean"]["kbps"], all["models"][0]["mean"]["kbps"]);
}

TEST_F(EvalSoundTest, MeasuresMemoryWhereNothingElseRuns) {
  const Ran ran = Run({"eval", "s/0.wav", "--json", "-j", "1"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_GT(ran.Json()["results"][0]["peak_memory_decode"], 1 << 20);
}

TEST_F(EvalSoundTest, WhatFailsIsARow) {
  Write("s/9.wav", Wav(5000).substr(0, 400));
  Write("s/empty.wav", Wav(0));
  const Ran ran = Run({"eval", "-r", "s", "--json", "--report", "out"});
  EXPECT_EQ(ran.exit_code, 1) << ran.err;
  const auto all = ran.Json();
  EXPECT_EQ(all["ok"], 3);
  EXPECT_EQ(all["failed"], 2);
  EXPECT_EQ(all["mean"]["sounds"], 3);
  EXPECT_NE(all["results"][3]["error"].get<std::string>().find("s/9.wav"), std::string::npos);
  EXPECT_NE(Read("out/figures.csv").find("s/empty.wav,,,"), std::string::npos);
}

TEST_F(EvalSoundTest, TwoRunsGiveEqualTables) {
  auto command = command_;
  const auto first = WithoutTimes(Run(command).Json());
  ASSERT_EQ(first["results"].size(), 6u);
  command.insert(command.end(), {"-j", "1"});
  EXPECT_EQ(WithoutTimes(Run(command).Json()), first);
}

TEST_F(EvalSoundTest, GoesOnWhereItWasStopped) {
  auto command = command_;
  command.insert(command.end(), {"--state", "state", "-j", "1"});  // lines in the order of the items
  const Ran whole = Run(command);
  ASSERT_EQ(whole.exit_code, 0) << whole.err;
  const std::string state = Read("state");
  size_t at = 0;
  for (int line = 0; line < 4; ++line) at = state.find('\n', at) + 1;
  Write("state", state.substr(0, at + 30));
  const Ran again = Run(command);
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(WithoutTimes(again.Json()), WithoutTimes(whole.Json()));
  EXPECT_EQ(Read("state").substr(0, at), state.substr(0, at));
  EXPECT_EQ(again.Json()["results"][0], whole.Json()["results"][0]);  // with its times: not measured again
}

TEST_F(EvalSoundTest, OpusIsMeasuredOnTheSameSounds) {
  for (int i = 0; i < 3; ++i)
    Write("s/" + std::to_string(i) + ".wav", Wav(30000, 1, 24000, i, 20));  // 191 Hz
  const Ran ran =
      Run({"eval", "-r", "s", "--levels", "1,2", "--against", "opus,codec2", "--json", "--report", "out"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const auto figures = nlohmann::json::parse(Read("out/figures.json"));
  if (ran.err.find("vqcodec: eval: opus:") != std::string::npos) {  // a build without FFmpeg
    EXPECT_TRUE(figures["environment"]["left out opus"].is_string());
    GTEST_SKIP() << ran.err;
  }
  const auto all = ran.Json();
  for (const auto& record : all["results"]) {
    if (record["codec"] != "opus") continue;
    EXPECT_NE(record["command"].get<std::string>().find("libopus"), std::string::npos);
    const double wanted = record["kbps_nominal"], payload = record["kbps_payload"], file = record["kbps"];
    EXPECT_GT(payload, 0.2 * wanted) << record;
    EXPECT_LT(payload, 2 * wanted) << record;
    EXPECT_GT(file, payload);
    EXPECT_GT(record["si_sdr"], 5) << record;  // in place, not late
  }
  EXPECT_EQ(figures["environment"]["opus 12k"],
            "FFmpeg libopus application=audio:frame_duration=60:vbr=on:compression_level=10:b=12000 in ogg");
  EXPECT_EQ(figures["curves"][0]["test"], "speech-rvq");
  EXPECT_EQ(figures["curves"][0]["reference"], "opus");
  EXPECT_EQ(figures["curves"][0]["metrics"].size(), 5u);
}

TEST_F(EvalSoundTest, CurvesOfSoundAreCompared) {
  ASSERT_EQ(Run({"eval", "-r", "s", "--levels", "1,2", "--json"}, {.standard_output_path = Path("a.json")})
                .exit_code,
            0);
  const Ran ran = Run({"compare", "--reference", "a.json", "--test", "a.json", "--json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const auto row = ran.Json()["curves"][0];
  EXPECT_EQ(row["metric"], "si_sdr");
  EXPECT_EQ(row["sounds"], 3);
  EXPECT_NEAR(row["bd_rate"]["value"].get<double>(), 0, 1e-9);
}

TEST_F(EvalSoundTest, MistakesAreExplained) {
  Write("s/0.ppm", Ppm(64, 64));
  const struct {
    std::vector<std::string> arguments;
    const char* says;
  } cases[] = {
      {{"eval", "-r", "s"}, "there are pictures and sound"},
      {{"eval", "s/0.wav", "--levels", "0"}, "'0' is no number of levels"},
      {{"eval", "s/0.wav", "--levels", "2,x"}, "'x' is no number of levels"},
      {{"eval", "s/0.wav", "--against", "webp"}, "webp is not a codec of sound"},
      {{"eval", "s/0.wav", "--decoder", "x"}, "--decoder is for models of pictures"},
      {{"eval", "s/0.ppm", "--levels", "1"}, "--levels is for models of sound"},
      {{"eval", "s/0.ppm", "-m", "image-f16,speech-rvq"}, "speech-rvq is a model of audio"},
      {{"eval", "s/0.wav", "-m", "speech-rvq,image-f16"}, "image-f16 is a model of image"},
  };
  for (const auto& each : cases) ExpectRefusalOf(2, each.arguments, each.says);
  const Ran ran = Run({"eval", "-r", "s", "-m", "speech-rvq", "--json"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(ran.Json()["results"].size(), 3u);
}

TEST_F(EvalSoundTest, PageWorksInABrowser) {
  const std::string browser = Browser();
  if (browser.empty()) GTEST_SKIP() << "there is no Chromium (apt-get install chromium)";
  ASSERT_EQ(Run({"eval", "-r", "s", "--levels", "1,2", "--report", "out", "--report-items", "2"}).exit_code,
            0);
  EXPECT_EQ(std::system(BrowserTest(browser, "out/index.html").c_str()), 0);
}

}  // namespace
}  // namespace vqc
