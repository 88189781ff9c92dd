// SPDX-License-Identifier: Apache-2.0
// vqcodec train up to the torch part: what it is asked for, and what is refused before it is loaded.
#include <sys/stat.h>

#include "tests/cli/cli_test_base.h"

namespace vqc {
namespace {

using Json = nlohmann::json;
using Names = std::vector<std::string>;

class TrainTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    Write("photos/a.ppm", Ppm(40, 24));
  }

  Json Asked() const { return Json::parse(Read("asked.json"), nullptr, false); }

  // `arguments` after "train image", with good ones before them; the torch part must not be asked.
  void ExpectRefusal(int exit_code, const Names& arguments, const std::string& mention) {
    Names all = {"train", "image", "--data", "photos", "-o", "model"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    ExpectRefusalOf(exit_code, all, mention);
  }
};

TEST_F(TrainTest, ImageHasSensibleDefaults) {
  const Ran ran = Run({"train", "image", "--data", "photos", "-o", "model"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_NE(ran.err.find("vqcodec train prior model --data photos"), std::string::npos) << ran.err;
  const Json asked = Asked();
  EXPECT_EQ(asked["data"], "photos");
  EXPECT_EQ(asked["output"], "model");
  EXPECT_EQ(asked["batch"], 64);
  EXPECT_EQ(asked["crop"], 256);
  EXPECT_EQ(asked["seconds"], 600.0);
  EXPECT_EQ(asked["steps"], 0);
  EXPECT_EQ(asked["device"], "auto");
  EXPECT_EQ(asked["config"], Json::parse(R"({"quantizer": {"type": "fsq", "levels": [8, 8, 8, 5, 5, 5]}})"));
  EXPECT_EQ(asked["about"], Json::object());
}

TEST_F(TrainTest, ImageOptionsReachTheTrainer) {
  Write("config.json", R"({"network": {"width": 96}, "quantizer": {"type": "vq"}, "tile": 512})");
  Write("about.json", R"({"license": "CC0-1.0"})");
  std::filesystem::create_directories(Path("held"));
  const Ran ran = Run({"train",
                       "image",
                       "--data",
                       "photos",
                       "--valid",
                       "held",
                       "-o",
                       "deep/model",
                       "--state",
                       "s",
                       "--log",
                       "l.csv",
                       "--name",
                       "mine-1.0",
                       "--config",
                       "config.json",
                       "--about",
                       "about.json",
                       "--device",
                       "cuda:1",
                       "--batch",
                       "8",
                       "--crop",
                       "128",
                       "--steps",
                       "1000",
                       "--stop-after",
                       "2.5",
                       "--learning-rate",
                       "3e-4",
                       "--rate-weight",
                       "0",
                       "--target-bits",
                       "9.5",
                       "--distortion-power",
                       "1",
                       "--seed",
                       "7"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const Json asked = Asked();
  const Json expected = {{"valid", "held"},
                         {"output", "deep/model"},
                         {"state", "s"},
                         {"log", "l.csv"},
                         {"name", "mine-1.0"},
                         {"config", Json::parse(Read("config.json"))},
                         {"device", "cuda:1"},
                         {"about", Json::parse(Read("about.json"))},
                         {"batch", 8},
                         {"crop", 128},
                         {"steps", 1000},
                         {"stop_after", 2.5},
                         {"learning_rate", 3e-4},
                         {"rate_weight", 0.0},
                         {"target_bits", 9.5},
                         {"power", 1.0},
                         {"seed", 7}};
  for (const auto& [key, value] : expected.items()) EXPECT_EQ(asked[key], value) << key;
}

TEST_F(TrainTest, LevelsAreTheQuantizerOfAConfigWithoutOne) {
  Write("config.json", R"({"tile": 256})");
  ASSERT_EQ(Run({"train", "image", "--data", "photos", "-o", "model", "--config", "config.json", "--levels",
                 "7,5,5,5,5"})
                .exit_code,
            0);
  EXPECT_EQ(Asked()["config"],
            Json::parse(R"({"tile": 256, "quantizer": {"type": "fsq", "levels": [7, 5, 5, 5, 5]}})"));
  Write("config.json", R"({"quantizer": {"type": "vq"}})");
  ExpectRefusal(2, {"--config", "config.json", "--levels", "8,8"}, "--levels");
}

TEST_F(TrainTest, NumbersOutOfRangeAreRefused) {
  const std::vector<std::pair<std::string, Names>> bad = {
      {"--batch", {"0", "4097", "1.5", "many", "-1", "99999999999999999999"}},
      {"--crop", {"8", "1e3", ""}},
      {"--seconds", {"0", "-5", "nan", "inf", "600s"}},
      {"--steps", {"0", "2000000000"}},
      {"--learning-rate", {"0", "1.1", "nan"}},
      {"--rate-weight", {"-0.1", "inf"}},
      {"--target-bits", {"-1", "65"}},
      {"--distortion-power", {"0", "5"}},
      {"--seed", {"-1", "0x10"}},
      {"--levels", {"8,", ",8", "8,2", "8,65", "8 8", "8,8,a", "3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3"}},
      {"--name", {"", "a b", "../up", "-x", ".hidden", std::string(65, 'a')}}};
  for (const auto& [option, values] : bad) {
    for (const std::string& value : values) {
      SCOPED_TRACE(option + "=" + value);
      ExpectRefusal(2, {option + "=" + value}, option);
    }
  }
}

TEST_F(TrainTest, OptionsThatDoNotFitAreRefused) {
  ExpectRefusal(2, {"--steps", "5", "--seconds", "5"}, "--seconds");
  ExpectRefusal(2, {"--stop-after", "5"}, "--state");
  ExpectRefusalOf(2, {"train"},
                  "none of image, audio, action, decoder, prior, ladder, filler and quantizer is named");
  ExpectRefusalOf(2, {"train", "audio"}, "audio");
  ExpectRefusalOf(2, {"train", "image", "-o", "model"}, "--data");
  ExpectRefusalOf(2, {"train", "image", "--data", "photos"}, "--output");
  ExpectRefusalOf(2, {"train", "prior", "--data", "photos"}, "MODEL_DIR");
  ExpectRefusalOf(2, {"train", "filler", "--data", "photos"}, "MODEL_DIR");
  ExpectRefusalOf(2, {"train", "filler", "model", "--data", "photos", "--blocks", "33"}, "--blocks");
}

TEST_F(TrainTest, BadFilesAreRefused) {
  ExpectRefusal(3, {"--config", "missing.json"}, "missing.json");
  Write("bad.json", "[1]");
  ExpectRefusal(3, {"--config", "bad.json"}, "bad.json");
  ExpectRefusal(3, {"--about", "bad.json"}, "bad.json");
  Write("odd.json", R"({"quantiser": {}})");
  ExpectRefusal(3, {"--config", "odd.json"}, "quantiser");
  ExpectRefusal(3, {"--valid", "missing"}, "missing");
  ExpectRefusal(3, {"--log", "photos/a.ppm/log.csv"}, "--log");
  ExpectRefusalOf(3, {"train", "image", "--data", "missing", "-o", "model"}, "missing");
  ExpectRefusalOf(3, {"train", "image", "--data", "photos/a.ppm", "-o", "model"}, "no folder");
  ExpectRefusalOf(5, {"train", "filler", "./missing", "--data", "photos"}, "missing");
}

TEST_F(TrainTest, AModelIsNotOverwrittenUnasked) {
  Write("model/card.json", "mine");
  ExpectRefusal(2, {}, "--force");
  EXPECT_EQ(Read("model/card.json"), "mine");
  EXPECT_EQ(Run({"train", "image", "--data", "photos", "-o", "model", "--force"}).exit_code, 0);
  ExpectRefusalOf(2, {"train", "image", "--data", "photos", "-o", "photos/a.ppm", "-f"}, "no folder");
}

TEST_F(TrainTest, PriorOptionsReachTheTrainer) {
  const std::string model = (models_ / "image-f16").string();
  ASSERT_EQ(Run({"train", "prior", model, "--data", "photos"}).exit_code, 0);
  EXPECT_EQ(Asked()["prior"], "mixing");
  EXPECT_EQ(Asked()["crops"], 8192);
  const Ran ran = Run({"train", "prior", model, "--data", "photos", "--prior", "mixing", "--crops", "10",
                       "--device", "cpu", "--seed", "9", "--dump", "t.npy"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const Json expected = {{"model", model}, {"data", "photos"}, {"prior", "mixing"}, {"crops", 10},
                         {"seed", 9},      {"dump", "t.npy"},  {"device", "cpu"},   {"tokens", ""},
                         {"state", ""},    {"batch", 16},      {"radius", 2},       {"width", 192}};
  for (const auto& [name, value] : expected.items()) EXPECT_EQ(Asked()[name], value) << name;
}

TEST_F(TrainTest, ANeuralPriorHasOptionsOfItsOwn) {
  const std::string model = (models_ / "image-f16").string();
  Write("t.npy", "tokens");
  ASSERT_EQ(Run({"train", "prior", model, "--prior", "neural", "--tokens", "t.npy", "--state", "net",
                 "--network-only", "--steps", "5", "--batch", "8", "--radius", "3", "--width", "64"})
                .exit_code,
            0);
  const Json asked = Asked();
  EXPECT_EQ(asked["tokens"], "t.npy");
  EXPECT_EQ(asked["state"], "net");
  EXPECT_EQ(asked["network_only"], true);
  EXPECT_EQ(asked["steps"], 5);
  EXPECT_EQ(asked["batch"], 8);
  EXPECT_EQ(asked["radius"], 3);
  EXPECT_EQ(asked["width"], 64);
}

TEST_F(TrainTest, PriorRefusesWhatItCannotDo) {
  const std::string model = (models_ / "image-f16").string();
  ExpectRefusalOf(5, {"train", "prior", "nowhere", "--data", "photos"}, "nowhere");
  ExpectRefusalOf(3, {"train", "prior", model, "--data", "missing"}, "missing");
  ExpectRefusalOf(2, {"train", "prior", model, "--data", "photos", "--prior", "uniform"}, "uniform");
  ExpectRefusalOf(2, {"train", "prior", model, "--data", "photos", "--crops", "-1"}, "--crops");
  ExpectRefusalOf(2, {"train", "prior", model, "--data", "photos", "--crops", "0", "--dump", "t.npy"},
                  "--dump");
  ExpectRefusalOf(2, {"train", "prior", model}, "--tokens");
  ExpectRefusalOf(2, {"train", "prior", model, "--data", "photos", "--tokens", "t.npy"}, "--tokens");
  ExpectRefusalOf(2, {"train", "prior", model, "--data", "photos", "--tokens-only"}, "--dump");
  ExpectRefusalOf(2, {"train", "prior", model, "--data", "photos", "--network-only", "--state", "s"},
                  "neural");
  ExpectRefusalOf(2, {"train", "prior", model, "--data", "photos", "--radius", "9"}, "--radius");
  Write("t.npy", "mine");
  ExpectRefusalOf(2, {"train", "prior", model, "--data", "photos", "--dump", "t.npy"}, "--force");
}

TEST_F(TrainTest, ATorchPartIsNeeded) {
  const Ran ran =
      Run({"train", "image", "--data", "photos", "-o", "model"}, {.environment = {"VQCODEC_PARTS=/nowhere"}});
  if (ran.exit_code == 3) GTEST_SKIP() << "a real torch part lies beside the library";
  EXPECT_EQ(ran.exit_code, 6) << ran.err;
  EXPECT_TRUE(ran.IsOneLineError()) << ran.err;
}

}  // namespace
}  // namespace vqc
