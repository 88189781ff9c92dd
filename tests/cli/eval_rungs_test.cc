// SPDX-License-Identifier: Apache-2.0
// vqcodec eval --rungs: rungs of a model's ladder as points of one curve.
#include "tests/cli/cli_test_base.h"
#include "tests/support/fake_ladder.h"
#include "tests/support/fake_model.h"

namespace vqc {
namespace {

class EvalRungsTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    const auto ladder = Ladder::Make(FakeOrder(), FakeRungs());
    ASSERT_TRUE(ladder.ok()) << ladder.error().message;
    ASSERT_TRUE(
        ladder->Write((models_ / "image-f16").string(), MakeFakeModel("image-f16", 1)->card.model_id).ok());
    for (int i = 0; i < 3; ++i) Write("p/" + std::to_string(i) + ".ppm", Ppm(96 + 8 * i, 64, i));
  }
};

TEST_F(EvalRungsTest, RungsAreSettingsOfOneCodec) {
  const Ran ran = Run({"eval", "-r", "p", "--rungs", "1,2,3,9", "--json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const auto models = ran.Json()["models"];
  ASSERT_EQ(models.size(), 3u);  // 9 is the highest too
  double bytes = 0;
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(models[i]["codec"], "image-f16");
    EXPECT_EQ(models[i]["setting"], "rung " + std::to_string(i + 1));
    EXPECT_GT(models[i]["mean"]["bytes"], bytes);
    bytes = models[i]["mean"]["bytes"];
  }
  // Nominal bits and vocabulary are those of the clusters.
  EXPECT_EQ(models[0]["levels"][0]["codebook_size"], 8) << models[0];
  EXPECT_EQ(models[1]["levels"][0]["codebook_size"], 64);
  EXPECT_EQ(models[2]["levels"][0]["codebook_size"], 512);
  const auto first = ran.Json()["results"][0];
  EXPECT_NEAR(first["bits_per_token_raw"].get<double>(), 3, 1e-12);
  // The highest rung is the model as it is without the option.
  const auto whole = Run({"eval", "-r", "p", "--json"}).Json();
  EXPECT_EQ(whole["mean"]["bytes"], models[2]["mean"]["bytes"]);
  EXPECT_EQ(whole["mean"]["psnr"], models[2]["mean"]["psnr"]);
  EXPECT_EQ(whole["models"][0]["codec"], "vqcodec");
}

TEST_F(EvalRungsTest, FilesAreThoseOfEncode) {
  ASSERT_EQ(Run({"encode", "p/0.ppm", "--rung", "2", "-o", "a.vqc", "-q"}).exit_code, 0);
  const auto record = Run({"eval", "p/0.ppm", "--rungs", "2", "--json"}).Json()["results"][0];
  EXPECT_EQ(record["bytes"], Read("a.vqc").size());
}

TEST_F(EvalRungsTest, AModelWithoutALadderIsMeasuredOnce) {
  AddModel("other", 0.9f);
  const auto models = Run({"eval", "-r", "p", "-m", "other", "--rungs", "1,2", "--json"}).Json()["models"];
  ASSERT_EQ(models.size(), 1u);
  EXPECT_EQ(models[0]["setting"], "other");
}

TEST_F(EvalRungsTest, MistakesAreExplained) {
  ExpectRefusalOf(2, {"eval", "-r", "p", "--rungs", "0"}, "'0' is no number of rungs");
  Write("s/0.wav", Wav(5000));
  ExpectRefusalOf(2, {"eval", "-r", "s", "--rungs", "1"}, "--rungs is for models of pictures");
}

}  // namespace
}  // namespace vqc
