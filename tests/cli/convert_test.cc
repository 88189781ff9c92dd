// SPDX-License-Identifier: Apache-2.0
// Public checkpoints from `convert` to sound and back.
#include <cstring>

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
