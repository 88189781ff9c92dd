// SPDX-License-Identifier: Apache-2.0
// Public checkpoints from `convert` to sound and back.
#include <cstring>

#include "base/file.h"
#include "tests/cli/cli_test_base.h"

namespace vqc {
namespace {

const std::string kGoldens = std::string(VQC_SOURCE_DIR) + "/tests/golden/import/";

class ConvertTest : public CliTest {
 protected:
  // The 1,003 samples of the golden as raw float32.
  void WriteSound() const {
    std::string bytes;
    for (int i = 0; i < 1003; ++i) {
      const float value = 0.3f * static_cast<float>((i * i / 16) % 64 - 32) / 32;
      bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    Write("sound.f32", bytes);
  }
};

TEST_F(ConvertTest, ACheckpointBecomesAModelThatEncodesAndDecodes) {
  const Ran converted = Run({"convert", kGoldens + "encodec", "-o", "models/small-encodec", "--json"});
  ASSERT_EQ(converted.exit_code, 0) << converted.err;
  EXPECT_EQ(converted.Json()["family"], "EnCodec");
  EXPECT_EQ(converted.Json()["model"], "small-encodec");
  EXPECT_EQ(Files("models/small-encodec"), (std::vector<std::string>{"card.json", "model.safetensors"}));
  const How how{.environment = {"VQCODEC_MODELS=models"}};
  const Ran listed = Run({"list"}, how);
  EXPECT_NE(listed.out.find("small-encodec"), std::string::npos) << listed.out;
  const Ran shown = Run({"info", "models/small-encodec"}, how);
  EXPECT_EQ(shown.exit_code, 0) << shown.err;

  WriteSound();
  const std::vector<std::string> raw = {"--format", "f32le", "--rate", "1200"};
  auto arguments =
      std::vector<std::string>{"encode", "sound.f32", "-m", "small-encodec", "-o", "a.vqc", "--json"};
  arguments.insert(arguments.end(), raw.begin(), raw.end());
  const Ran encoded = Run(arguments, how);
  ASSERT_EQ(encoded.exit_code, 0) << encoded.err;
  EXPECT_EQ(encoded.Json()["results"][0]["tokens"], 84 * 5);
  EXPECT_EQ(Run({"trim", "a.vqc", "--levels", "2", "-o", "b.vqc"}, how).exit_code, 0);
  for (const std::string name : {"a", "b"}) {
    const Ran decoded = Run({"decode", name + ".vqc", "-o", name + ".wav"}, how);
    ASSERT_EQ(decoded.exit_code, 0) << decoded.err;
    EXPECT_GE(Read(name + ".wav").size(), 44u + 2 * 1003);
  }
}

// EnCodec's own files, to a stream and back, without a network.
TEST_F(ConvertTest, TokensOfEnCodecBecomeAStreamAndComeBack) {
  const std::string golden = std::string(VQC_SOURCE_DIR) + "/tests/golden/ecdc";
  ASSERT_EQ(Run({"convert", golden, "-o", "models/encodec"}).exit_code, 0);
  const How how{.environment = {"VQCODEC_MODELS=models"}};
  const Ran taken = Run({"convert", golden + "/sound.ecdc", "-m", "encodec", "-o", "a.vqc", "--json"}, how);
  ASSERT_EQ(taken.exit_code, 0) << taken.err;
  EXPECT_EQ(taken.Json()["samples"], 5003);
  EXPECT_EQ(taken.Json()["levels"], 4);
  EXPECT_EQ(taken.Json()["model"], "encodec");
  ASSERT_EQ(Run({"decode", "a.vqc", "-o", "a.wav"}, how).exit_code, 0);
  EXPECT_EQ(Read("a.wav").size(), 44u + 2 * 5003);
  ASSERT_EQ(Run({"convert", "a.vqc", "-o", "a.ecdc"}, how).exit_code, 0);
  const auto expected = *ReadFile(golden + "/sound.ecdc", 1 << 20);
  EXPECT_EQ(Read("a.ecdc"), std::string(expected.begin(), expected.end()));

  Write("cut.ecdc", Read("a.ecdc").substr(0, 100));
  Write("damaged.vqc", Read("a.vqc").substr(0, 20));
  const auto refused = [&](const std::vector<std::string>& arguments, int exit_code,
                           const std::string& part) {
    const Ran ran = Run(arguments, how);
    EXPECT_EQ(ran.exit_code, exit_code) << ran.err;
    EXPECT_TRUE(ran.IsOneLineError()) << ran.err;
    EXPECT_NE(ran.err.find(part), std::string::npos) << ran.err;
  };
  refused({"convert", "a.ecdc", "-o", "b.vqc"}, 2, "--model");
  refused({"convert", "a.ecdc", "-m", "nothing", "-o", "b.vqc"}, 5, "nothing");
  refused({"convert", "a.ecdc", "-m", "encodec", "-o", "b.wav"}, 2, ".vqc");
  refused({"convert", "a.ecdc", "-m", "encodec", "-o", "a.vqc"}, 2, "--force");
  refused({"convert", "a.ecdc", "-m", "encodec", "--name", "x", "-o", "b.vqc"}, 2, "--name");
  refused({"convert", "cut.ecdc", "-m", "encodec", "-o", "b.vqc"}, 4, "bytes of ids");
  refused({"convert", "damaged.vqc", "-o", "b.ecdc"}, 4, "damaged.vqc");
  refused({"convert", "a.vqc", "-m", "encodec", "-o", "b.ecdc"}, 2, "leave --model out");
  refused({"convert", "a.vqc", "-o", "b.vqc"}, 2, ".ecdc");
  refused({"convert", golden, "-m", "encodec", "-o", "n"}, 2, "--model");
  EXPECT_FALSE(Exists("b.vqc"));
  EXPECT_EQ(Run({"convert", "a.ecdc", "-m", "encodec", "-o", "a.vqc", "-f"}, how).exit_code, 0);
}

TEST_F(ConvertTest, RefusesWhatItCannotDo) {
  const auto refused = [&](const std::vector<std::string>& arguments, int exit_code,
                           const std::string& part) {
    const Ran ran = Run(arguments);
    EXPECT_EQ(ran.exit_code, exit_code) << ran.err;
    EXPECT_TRUE(ran.IsOneLineError()) << ran.err;
    EXPECT_NE(ran.err.find(part), std::string::npos) << ran.err;
  };
  refused({"convert", "nothing", "-o", "m"}, 5, "no such file or folder");
  refused({"convert", kGoldens + "encodec", "-o", "a model"}, 2, "--name gives another");
  refused({"convert", kGoldens + "encodec", "-o", "m", "--name", "M"}, 5, "field name");
  refused({"convert", kGoldens + "encodec", "-o", "m", "--name", "a/b"}, 2, "a/b");
  Write("last.ckpt", "\x80\x02}q");
  refused({"convert", "last.ckpt", "-o", "m"}, 5, "pip install");
  EXPECT_FALSE(Exists("m"));
  ASSERT_EQ(Run({"convert", kGoldens + "encodec", "-o", "m"}).exit_code, 0);
  refused({"convert", kGoldens + "encodec", "-o", "m"}, 2, "--force");
  EXPECT_EQ(Run({"convert", kGoldens + "encodec", "-o", "m", "-f"}).exit_code, 0);
  refused({"convert", kGoldens + "encodec", "-o", "n", "--max-model-bytes", "1000"}, 3,
          "max_model_bytes is 1000, --max-model-bytes raises it");
}

}  // namespace
}  // namespace vqc
