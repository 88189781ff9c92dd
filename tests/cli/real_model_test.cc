// SPDX-License-Identifier: Apache-2.0
// The committed model on a photo, through the real torch part: the whole line, and damage to all of it.
// Skipped where the build has no torch part or the tree no model.
#include <cstdlib>

#include "tests/cli/cli_test_base.h"

namespace vqc {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;
constexpr char kModels[] = VQC_SOURCE_DIR "/models/pretrained";
constexpr char kPhoto[] = VQC_SOURCE_DIR "/data/samples/chelsea.png";

class RealModel : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    if (!fs::exists(fs::path(kModels) / "image-f16" / "card.json")) {
      GTEST_SKIP() << "models/pretrained/image-f16 is not in this tree";
    }
    if (Run({"--version"}).out.find("torch part: built") == std::string::npos) {
      GTEST_SKIP() << "this build has no torch part; configure with -DVQCODEC_TORCH=ON";
    }
    UseModels(kModels);
  }

  void UseModels(const std::string& folder) {
    how_.environment = {"VQCODEC_PARTS=", "VQCODEC_MODELS=" + folder};
  }
  Ran RunReal(const Names& arguments) { return Run(arguments, how_); }

  void ExpectError(int exit_code, const Names& arguments, const std::string& mention) {
    ExpectRefusalOf(exit_code, arguments, mention, how_);
  }

  How how_;
};

TEST_F(RealModel, APhotoGoesThroughAndComesBackInItsSize) {
  ASSERT_EQ(RunReal({"encode", kPhoto, "-o", "a.vqc", "--verify"}).exit_code, 0);
  const auto streams = {"b.vqc", "c.vqc"};
  int jobs = 1;
  for (const std::string output : streams) {
    ASSERT_EQ(RunReal({"encode", kPhoto, "-o", output, "-j", std::to_string(jobs++)}).exit_code, 0);
    EXPECT_EQ(Read(output), Read("a.vqc"));
  }
  const Ran decoded = RunReal({"decode", "a.vqc", "-o", "a.ppm", "--json"});
  ASSERT_EQ(decoded.exit_code, 0) << decoded.err;
  const auto record = decoded.Json()["results"][0];
  const auto width = record["width"].get<size_t>(), height = record["height"].get<size_t>();
  EXPECT_GT(width * height, 10000u);
  EXPECT_EQ(Read("a.ppm").size(), std::string("P6\n451 300\n255\n").size() + 3 * width * height);
}

// A public checkpoint piece by piece and, with --reference, on whole sounds: the same ids by another
// arithmetic, whose profile the stream names.
TEST_F(RealModel, WholeSoundsGiveTheIdsOfThePieces) {
  const std::string golden = VQC_SOURCE_DIR "/tests/golden/import/encodec";
  ASSERT_EQ(RunReal({"convert", golden, "-o", "models/small"}).exit_code, 0);
  UseModels("models");
  std::string bytes;
  for (int i = 0; i < 2000; ++i) {
    const float value = 0.3f * static_cast<float>((i * i / 16) % 64 - 32) / 32;
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  Write("sound.f32", bytes);
  const Names in = {"encode", "sound.f32", "--format", "f32le", "--rate", "1200", "-m", "small", "-o"};
  const auto with = [](Names arguments, const Names& more) {
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  };
  ASSERT_EQ(RunReal(with(in, {"pieces.vqc"})).exit_code, 0);
  for (const Names& how : {Names{}, Names{"--precision", "bf16"}}) {
    const Ran encoded = RunReal(with(with(in, {"whole.vqc", "--reference", "-f"}), how));
    ASSERT_EQ(encoded.exit_code, 0) << encoded.err;
    const Ran decoded = RunReal(with({"decode", "whole.vqc", "-o", "a.wav", "--reference", "-f"}, how));
    ASSERT_EQ(decoded.exit_code, 0) << decoded.err;
    EXPECT_EQ(Read("a.wav").size(), 44u + 2 * 2000);
    ASSERT_EQ(RunReal({"decode", "whole.vqc", "-o", "b.wav", "-f"}).exit_code, 0);
  }
  ASSERT_EQ(RunReal(with(in, {"whole.vqc", "--reference", "-f"})).exit_code, 0);
  std::string pieces = Read("pieces.vqc"), whole = Read("whole.vqc");
  ASSERT_EQ(pieces.size(), whole.size());
  EXPECT_NE(pieces, whole) << "the profile";
  size_t other = 0;
  for (size_t i = 0; i < whole.size(); ++i) other += pieces[i] != whole[i];
  EXPECT_LE(other, 6u) << "two bytes of the profile and four of the checksum over it";
  ASSERT_EQ(RunReal({"tokenize", "a.wav", "-m", "small", "-o", "set", "--reference"}).exit_code, 0);
  const Ran back = RunReal({"detokenize", "set", "-O", "back", "--reference"});
  EXPECT_EQ(back.exit_code, 0) << back.err;
  ExpectError(2, with(in, {"x.vqc", "--precision", "bf16"}), "--reference");
}

// The same of pictures.
TEST_F(RealModel, PicturesByLibtorchHaveTheIdsOfOurOwnLayers) {
  ASSERT_EQ(RunReal({"convert", VQC_SOURCE_DIR "/tests/golden/import/vqgan", "-o", "models/small"}).exit_code,
            0);
  UseModels("models");
  std::string picture = "P6\n21 18\n255\n";
  for (int i = 0; i < 21 * 18 * 3; ++i) picture += static_cast<char>(128 + i * i / 16 % 96 - 48);
  Write("a.ppm", picture);
  ASSERT_EQ(RunReal({"encode", "a.ppm", "-m", "small", "-o", "own.vqc"}).exit_code, 0);
  ASSERT_EQ(RunReal({"encode", "a.ppm", "-m", "small", "-o", "other.vqc", "--reference"}).exit_code, 0);
  const std::string own = Read("own.vqc"), other = Read("other.vqc");
  ASSERT_EQ(own.size(), other.size());
  size_t different = 0;
  for (size_t i = 0; i < own.size(); ++i) different += own[i] != other[i];
  EXPECT_GT(different, 0u) << "the profile";
  EXPECT_LE(different, 6u) << "two bytes of the profile and four of the checksum over it";
  const Ran rough = RunReal({"decode", "other.vqc", "-o", "b.ppm", "--reference", "--precision", "bf16"});
  ASSERT_EQ(rough.exit_code, 0) << rough.err;
  EXPECT_EQ(Read("b.ppm").size(), picture.size());
  ASSERT_EQ(RunReal({"tokenize", "a.ppm", "-m", "small", "-o", "set", "--reference"}).exit_code, 0);
  const Ran back = RunReal({"detokenize", "set", "-O", "back", "--reference"});
  EXPECT_EQ(back.exit_code, 0) << back.err;
  ExpectError(2, {"encode", "a.ppm", "-m", "small", "-o", "x.vqc", "--precision", "bf16"}, "--reference");
}

TEST_F(RealModel, APerceptualDecoderShowsTheSameTokensOtherwise) {
  ASSERT_EQ(RunReal({"encode", kPhoto, "-o", "a.vqc"}).exit_code, 0);
  const Ran own = RunReal({"decode", "a.vqc", "-o", "own.ppm", "--json"});
  const Ran other = RunReal({"decode", "a.vqc", "-o", "other.ppm", "--decoder", "perceptual", "--json"});
  ASSERT_EQ(other.exit_code, 0) << other.err;
  const auto a = own.Json()["results"][0], b = other.Json()["results"][0];
  EXPECT_EQ(b["decoder"], "perceptual");
  for (const char* key : {"model_hash", "tokens", "grid", "bits_total", "crc_ok"})
    EXPECT_EQ(a[key], b[key]) << key;
  const std::string soft = Read("own.ppm"), sharp = Read("other.ppm");
  ASSERT_EQ(soft.size(), sharp.size());
  // Neighbours differ more where there is detail; the picture as a whole is the same.
  double difference = 0, steps_soft = 0, steps_sharp = 0;
  const auto step = [](const std::string& bytes, size_t i) {
    return std::abs(static_cast<uint8_t>(bytes[i]) - static_cast<uint8_t>(bytes[i - 3]));
  };
  for (size_t i = 32; i < soft.size(); ++i) {
    difference += std::abs(static_cast<uint8_t>(soft[i]) - static_cast<uint8_t>(sharp[i]));
    steps_soft += step(soft, i);
    steps_sharp += step(sharp, i);
  }
  EXPECT_GT(difference, 0);
  EXPECT_LT(difference / static_cast<double>(soft.size()), 16) << "mean difference in 8-bit steps";
  EXPECT_GT(steps_sharp, 1.05 * steps_soft);
  ExpectError(5, {"decode", "a.vqc", "-o", "b.ppm", "--decoder", "no-such"}, "perceptual");
}

TEST_F(RealModel, LowerRungsMakeSmallerFilesThatDecode) {
  size_t below = 0;
  for (int rung = 1; rung <= 6; ++rung) {
    const std::string file = std::to_string(rung) + ".vqc";
    ASSERT_EQ(RunReal({"encode", kPhoto, "-o", file, "--rung", std::to_string(rung), "--verify"}).exit_code,
              0);
    EXPECT_GT(Read(file).size(), below);
    below = Read(file).size();
    const Ran info = RunReal({"info", file, "--check", "--json"});
    ASSERT_EQ(info.exit_code, 0) << info.err;
    EXPECT_EQ(info.Json()["results"][0]["rung"], rung);
  }
  ASSERT_EQ(RunReal({"encode", kPhoto, "-o", "a.vqc"}).exit_code, 0);
  EXPECT_EQ(Read("a.vqc"), Read("6.vqc"));
  const auto bpp = [&](size_t bytes) {
    return std::to_string(8.0 * static_cast<double>(bytes) / (451 * 300));
  };
  ASSERT_EQ(RunReal({"encode", kPhoto, "-o", "b.vqc", "--bpp", bpp(Read("4.vqc").size() + 1)}).exit_code, 0);
  EXPECT_EQ(Read("b.vqc"), Read("4.vqc"));
  ExpectError(3, {"encode", kPhoto, "-o", "c.vqc", "--bpp", bpp(20)}, "lowest rung");
  ExpectError(2, {"encode", kPhoto, "-o", "c.vqc", "--rung", "7"}, "rungs 1 to 6");
  for (const std::string decoder : {"own", "perceptual"})
    EXPECT_EQ(RunReal({"decode", "1.vqc", "-o", decoder + ".ppm", "--decoder", decoder}).exit_code, 0);
}

TEST_F(RealModel, InfoTellsOfRungsAndOfWhatHalosCost) {
  const auto record = RunReal({"info", "image-f16", "--json"}).Json()["results"][0];
  EXPECT_EQ(record["rungs"].size(), 6u);
  EXPECT_EQ(record["rungs"][5], 64000);
  EXPECT_NEAR(record["recomputed_share"].get<double>(), 0.290, 0.001);
}

TEST_F(RealModel, TheFillerMakesUpLostTokensBetterThanThePrior) {
  ASSERT_EQ(RunReal({"encode", kPhoto, "-o", "a.vqc", "--windows", "1024"}).exit_code, 0);
  ASSERT_EQ(RunReal({"decode", "a.vqc", "-o", "intact.ppm"}).exit_code, 0);
  std::string damaged = Read("a.vqc");
  for (const size_t at : {300u, 700u}) damaged[at] = static_cast<char>(~damaged[at]);
  Write("damaged.vqc", damaged);
  const fs::path model = fs::path(kModels) / "image-f16", bare = fs::path(Path("bare")) / "image-f16";
  fs::create_directories(bare);
  for (const char* file : {"card.json", "model.safetensors", "ladder.safetensors"})
    fs::create_symlink(model / file, bare / file);
  const auto error = [&](const std::string& output) {
    EXPECT_EQ(RunReal({"decode", "damaged.vqc", "-o", output, "--salvage"}).exit_code, 1);
    const std::string made = Read(output), intact = Read("intact.ppm");
    double sum = 0;
    for (size_t i = 0; i < std::min(made.size(), intact.size()); ++i) {
      const double d = static_cast<unsigned char>(made[i]) - static_cast<unsigned char>(intact[i]);
      sum += d * d;
    }
    return sum;
  };
  const double filled = error("filled.ppm");
  UseModels(Path("bare"));
  const double expected = error("expected.ppm");
  EXPECT_GT(filled, 0);
  EXPECT_LT(filled, expected);
}

TEST_F(RealModel, EveryChangedByteAndEveryCutIsRefused) {
  ASSERT_EQ(RunReal({"encode", kPhoto, "-o", "a.vqc"}).exit_code, 0);
  const std::string good = Read("a.vqc");
  Names arguments = {"decode", "--json", "--format", "ppm"};
  for (size_t i = 0; i < good.size(); ++i) {
    std::string damaged = good;
    damaged[i] = static_cast<char>(damaged[i] ^ (1 << i % 8));
    const std::string number = std::to_string(i);
    Write("flip" + number + ".vqc", damaged);
    Write("cut" + number + ".vqc", good.substr(0, i));
    arguments.insert(arguments.end(), {"flip" + number + ".vqc", "cut" + number + ".vqc"});
  }
  const Names before = Files();
  const auto json = RunReal(arguments).Json();
  EXPECT_EQ(json["failed"], 2 * good.size());
  for (const auto& record : json["results"]) {
    EXPECT_TRUE(record["exit_code"] == 3 || record["exit_code"] == 4) << record;
  }
  EXPECT_EQ(Files(), before);
}

TEST_F(RealModel, DamagedWeightsAreRefused) {
  fs::copy(kModels, models_, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  UseModels(models_.string());
  ASSERT_EQ(RunReal({"encode", kPhoto, "-o", "good.vqc"}).exit_code, 0);
  const std::string weights = (models_ / "image-f16" / "model.safetensors").string();
  const std::string good = Read(weights);
  for (const size_t at : {good.size() / 3, good.size() / 2, good.size() - 1}) {
    std::string damaged = good;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    Write(weights, damaged);
    ExpectError(5, {"encode", kPhoto, "-o", "bad.vqc"}, "model.safetensors");
    ExpectError(5, {"decode", "good.vqc", "-o", "bad.png"}, "model.safetensors");
  }
  Write(weights, good.substr(0, good.size() / 2));
  ExpectError(5, {"encode", kPhoto, "-o", "bad.vqc"}, "model.safetensors");
}

TEST_F(RealModel, AnotherModelsStreamIsRefused) {
  ASSERT_EQ(RunReal({"encode", kPhoto, "-o", "a.vqc"}).exit_code, 0);
  ASSERT_EQ(Run({"encode", kPhoto, "-o", "fake.vqc"}).exit_code, 0);  // the fake model's
  ExpectError(5, {"decode", "fake.vqc", "-o", "b.png"}, "fake.vqc");
  ExpectError(5, {"decode", "fake.vqc", "-o", "b.png", "-m", "image-f16"}, "fake.vqc");
}

}  // namespace
}  // namespace vqc
