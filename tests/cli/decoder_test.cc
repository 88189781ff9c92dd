// SPDX-License-Identifier: Apache-2.0
// Decoders beside the model's own: other pictures from the same tokens, chosen when decoding.
#include "models/decoder.h"

#include <array>
#include <cstring>

#include "tests/cli/cli_test_base.h"
#include "tests/support/fake_model.h"

namespace vqc {
namespace {

using Json = nlohmann::json;
using Names = std::vector<std::string>;

class Decoders : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    AddDecoder((models_ / "image-f16/decoders/dark").string(), "dark", 1);
    Write("a.ppm", Ppm(41, 23));
    ASSERT_EQ(Run({"encode", "a.ppm", "-q"}).exit_code, 0);
  }

  // A decoder whose pictures are darker, for the tokens of the fake model of that scale.
  void AddDecoder(const std::string& folder, const std::string& name, float scale) const {
    auto steps = FakeTokenizer::EvenSteps();
    for (float& step : steps) step = step / 2 - 0.5f;
    std::vector<uint8_t> bytes(sizeof steps);
    std::memcpy(bytes.data(), steps.data(), bytes.size());
    DecoderCard card;
    card.name = name;
    card.decodes = MakeFakeModel("image-f16", scale)->card.model_id;
    card.network = {{"widths", {8}}};
    card.about = {{"license", "CC0-1.0"}};
    const Status written =
        WriteDecoder(folder, card, {{"decoder.steps", {DType::kF32, {FakeTokenizer::kSteps}, bytes}}});
    ASSERT_TRUE(written.ok()) << written.error().message;
  }
};

TEST_F(Decoders, ShowTheSameTokensOtherwise) {
  const Ran own = Run({"decode", "a.vqc", "-o", "own.ppm", "--json"});
  const Ran named = Run({"decode", "a.vqc", "-o", "dark.ppm", "--decoder", "dark", "--json"});
  const std::string folder = (models_ / "image-f16/decoders/dark/").string();
  ASSERT_EQ(Run({"decode", "a.vqc", "-o", "path.ppm", "--decoder", folder}).exit_code, 0);
  ASSERT_EQ(Run({"decode", "a.vqc", "-o", "again.ppm", "--decoder", "own"}).exit_code, 0);
  ASSERT_EQ(own.exit_code, 0) << own.err;
  ASSERT_EQ(named.exit_code, 0) << named.err;
  EXPECT_EQ(named.Json()["results"][0]["decoder"], "dark");
  EXPECT_FALSE(own.Json()["results"][0].contains("decoder"));
  for (const char* key : {"model_hash", "tokens", "codebook_sizes", "bits_total", "crc_ok"})
    EXPECT_EQ(named.Json()["results"][0][key], own.Json()["results"][0][key]) << key;
  EXPECT_EQ(Read("again.ppm"), Read("own.ppm"));
  EXPECT_EQ(Read("path.ppm"), Read("dark.ppm"));
  const std::string bright = Read("own.ppm"), dark = Read("dark.ppm");
  ASSERT_EQ(dark.size(), bright.size());
  for (size_t i = bright.size() - 3 * 41 * 23; i < bright.size(); ++i)
    EXPECT_LE(static_cast<uint8_t>(dark[i]), static_cast<uint8_t>(bright[i]) / 2 + 1) << i;
}

TEST_F(Decoders, AreMeasuredBesideTheModelsOwn) {
  const Ran ran = Run({"eval", "a.ppm", "--decoder", "own,dark", "--json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const Json results = ran.Json()["results"];
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[0]["setting"], "image-f16");
  EXPECT_EQ(results[1]["setting"], "image-f16 dark");
  EXPECT_EQ(results[0]["bytes"], results[1]["bytes"]);
  EXPECT_NE(results[0]["psnr"], results[1]["psnr"]);
  EXPECT_EQ(ran.Json()["models"][1]["model"], "image-f16 dark");
}

TEST_F(Decoders, AreListedWithTheirModel) {
  const Json models = Run({"list", "--json"}).Json()["models"];
  for (const Json& model : models) {
    const Json expected = model["name"] == "image-f16" ? Json::array({"own", "dark"}) : Json::array({"own"});
    EXPECT_EQ(model["decoders"], expected) << model["name"];
  }
  const Json model = Run({"info", "image-f16", "--json"}).Json()["results"][0];
  EXPECT_EQ(model["decoders"][0]["decoder"], "dark");
  const std::string folder = (models_ / "image-f16/decoders/dark").string();
  const Ran info = Run({"info", folder, "--check"});
  EXPECT_EQ(info.exit_code, 0) << info.err;
  EXPECT_NE(info.out.find("image-f16"), std::string::npos) << info.out;
  EXPECT_NE(info.out.find("CC0-1.0"), std::string::npos) << info.out;
  EXPECT_NE(info.out.find("the weights are those of the card"), std::string::npos) << info.out;
}

TEST_F(Decoders, OfOtherTokensAreRefused) {
  AddDecoder(Path("other"), "other", 2);
  ExpectRefusalOf(5, {"decode", "a.vqc", "-o", "b.ppm", "--decoder", "./other"}, "decodes the tokens of");
  ExpectRefusalOf(5, {"decode", "a.vqc", "-o", "b.ppm", "--decoder", "bright"}, "dark");
  ExpectRefusalOf(5, {"decode", "a.vqc", "-o", "b.ppm", "--decoder", "./missing"}, "./missing");
  ExpectRefusalOf(5, {"decode", "a.vqc", "-o", "b.ppm", "--decoder", ".."}, "no decoder");
  ExpectRefusalOf(5, {"eval", "a.ppm", "--decoder", "own,bright"}, "bright");
  ExpectRefusalOf(5, {"encode", "a.ppm", "-o", "b.vqc", "-m", "./other"}, "--decoder");
}

TEST_F(Decoders, ThatAreDamagedAreRefused) {
  const std::string folder = (models_ / "image-f16/decoders/dark").string();
  const std::string weights = folder + "/model.safetensors", good = Read(weights);
  std::string damaged = good;
  damaged.back() = static_cast<char>(damaged.back() ^ 1);
  Write(weights, damaged);
  ExpectRefusalOf(5, {"decode", "a.vqc", "-o", "b.ppm", "--decoder", "dark"}, "weights");
  ExpectRefusalOf(5, {"info", folder, "--check"}, "weights");
  Write(weights, good);
  const Json card = Json::parse(Read(folder + "/card.json"));
  for (const char* field : {"name", "decodes", "decoder_id", "network", "about", "card_version"}) {
    for (const Json& value : {Json(nullptr), Json(3), Json("own"), Json("A")}) {
      Json changed = card;
      changed[field] = value;
      Write(folder + "/card.json", changed.dump());
      ExpectRefusalOf(5, {"decode", "a.vqc", "-o", "b.ppm", "--decoder", "dark"}, "");
      ExpectRefusalOf(5, {"decode", "a.vqc", "-o", "b.ppm", "--decoder", folder}, field);
    }
  }
}

TEST_F(Decoders, AreTrainedAsAsked) {
  Write("photos/a.ppm", Ppm(40, 24));
  Write("c.safetensors", "weights");
  const Names good = {"train",  "decoder", "-m",           "image-f16",
                      "--data", "photos",  "--classifier", "c.safetensors"};
  const auto with = [&](const Names& more) {
    Names all = good;
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  const Ran plain = Run(with({"-o", "sharp"}));
  ASSERT_EQ(plain.exit_code, 0) << plain.err;
  EXPECT_NE(plain.err.find("--decoder ./sharp"), std::string::npos) << plain.err;
  Json asked = Json::parse(Read("asked.json"));
  const Json defaults = {{"model", "image-f16"},
                         {"data", "photos"},
                         {"classifier", "c.safetensors"},
                         {"output", "sharp"},
                         {"name", "perceptual"},
                         {"batch", 32},
                         {"crop", 256},
                         {"pixel_weight", 1.0},
                         {"feature_weight", 3.0},
                         {"adversarial_weight", 1.0},
                         {"adversarial_from", 0.1},
                         {"learning_rate", 3e-4}};
  for (const auto& [key, value] : defaults.items()) EXPECT_EQ(asked[key], value) << key;
  ASSERT_EQ(Run(with({"-o",
                      "sharp",
                      "--name",
                      "mine",
                      "--steps",
                      "9",
                      "--state",
                      "s",
                      "--stop-after",
                      "3",
                      "--feature-weight",
                      "4",
                      "--adversarial-weight",
                      "0.4",
                      "--pixel-weight",
                      "0",
                      "--seed",
                      "5",
                      "--log",
                      "l.csv",
                      "--device",
                      "cpu",
                      "--adversarial-from",
                      "0.5"}))
                .exit_code,
            0);
  asked = Json::parse(Read("asked.json"));
  const Json expected = {{"name", "mine"},         {"steps", 9},
                         {"state", "s"},           {"stop_after", 3.0},
                         {"feature_weight", 4.0},  {"adversarial_weight", 0.4},
                         {"pixel_weight", 0.0},    {"seed", 5},
                         {"log", "l.csv"},         {"device", "cpu"},
                         {"adversarial_from", 0.5}};
  for (const auto& [key, value] : expected.items()) EXPECT_EQ(asked[key], value) << key;
  ExpectRefusalOf(2, with({"-o", "sharp", "--name", "own"}), "own");
  ExpectRefusalOf(2, with({"-o", "sharp", "--stop-after", "3"}), "--state");
  ExpectRefusalOf(2, with({"-o", "sharp", "--pixel-weight", "0", "--feature-weight", "0"}),
                  "--feature-weight");
  ExpectRefusalOf(2, {"train", "decoder", "--data", "photos", "-o", "x"}, "--model");
  ExpectRefusalOf(2, {"train", "decoder", "-m", "image-f16", "--data", "photos", "-o", "x"}, "--classifier");
  ExpectRefusalOf(
      2, {"train", "decoder", "-m", "image-f16", "--data", "photos", "--classifier", "no", "-o", "x"},
      "--classifier");
  ExpectRefusalOf(
      5,
      {"train", "decoder", "-m", "nowhere", "--data", "photos", "--classifier", "c.safetensors", "-o", "x"},
      "nowhere");
}

}  // namespace
}  // namespace vqc
