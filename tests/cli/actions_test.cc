// SPDX-License-Identifier: Apache-2.0
// Models of robot actions that need no network, from training to files and back.
#include <cmath>
#include <cstring>

#include "base/npy.h"
#include "tests/cli/cli_test_base.h"

namespace vqc {
namespace {

class ActionsTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    std::filesystem::create_directories(folder_ / "episodes");
    for (int i = 0; i < 12; ++i) WriteEpisode("episodes/" + std::to_string(i) + ".npy", 30 + i, 4, i);
  }

  void WriteEpisode(const std::string& name, int steps, int dims, int seed) const {
    std::string bytes = NpyHeaderOf("<f4", {static_cast<uint64_t>(steps), static_cast<uint64_t>(dims)});
    for (int t = 0; t < steps; ++t) {
      for (int d = 0; d < dims; ++d) {
        const float value = d + 1 == dims ? (t > steps / 2 ? 1.0f : 0.0f)
                                          : std::sin(0.1f * static_cast<float>(t * (d + 1) + 7 * seed));
        bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
      }
    }
    Write(name, bytes);
  }

  std::vector<float> Values(const std::string& name) const {
    const std::string bytes = Read(name);
    const auto header = ParseNpyHeader({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
    if (!header.ok()) return {};
    std::vector<float> values((bytes.size() - header->data_at) / sizeof(float));
    std::memcpy(values.data(), bytes.data() + header->data_at, values.size() * sizeof(float));
    return values;
  }

  Ran Train(const std::string& tokenizer, const std::string& data = "robot:0,1,2,6=episodes") {
    return Run({"train",   "action",     "--data",    data,          "--gripper",
                "6",       "--quantile", "0",         "--tokenizer", tokenizer,
                "--scale", "20",         "--entries", "64",          "--bit-weight",
                "0.001",   "--name",     tokenizer,   "-o",          "models/" + tokenizer});
  }

  void ExpectRefusal(int exit_code, const std::vector<std::string>& arguments, const std::string& mention) {
    const Ran ran = Run(arguments);
    EXPECT_EQ(ran.exit_code, exit_code) << ran.err;
    EXPECT_NE(ran.err.find(mention), std::string::npos) << ran.err;
  }
};

TEST_F(ActionsTest, ComeBackFromFiles) {
  for (const std::string tokenizer : {"bins", "courses", "fast"}) {
    const Ran trained = Train(tokenizer);
    ASSERT_EQ(trained.exit_code, 0) << trained.err;
    const std::string model = "./models/" + tokenizer, name = "episodes/3.npy";
    const Ran encoded = Run({"encode", name, "-m", model, "-o", tokenizer + ".vqc", "--json"});
    ASSERT_EQ(encoded.exit_code, 0) << encoded.err;
    EXPECT_EQ(encoded.Json()["results"][0]["steps"], 33);
    const Ran decoded = Run({"decode", tokenizer + ".vqc", "-m", model});
    ASSERT_EQ(decoded.exit_code, 0) << decoded.err;
    const auto before = Values(name), after = Values(tokenizer + ".npy");
    ASSERT_EQ(after.size(), before.size());
    for (size_t i = 0; i < before.size(); ++i) EXPECT_NEAR(after[i], before[i], 0.1) << tokenizer << " " << i;
  }
}

TEST_F(ActionsTest, AreMeasured) {
  ASSERT_EQ(Train("bins").exit_code, 0);
  ASSERT_EQ(Train("fast").exit_code, 0);
  const Ran ran = Run({"eval", "-r", "episodes", "-m", "./models/bins,./models/fast", "--json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const auto models = ran.Json()["models"];
  ASSERT_EQ(models.size(), 2u);
  EXPECT_EQ(models[0]["episodes"], 12);
  EXPECT_EQ(models[0]["bits_raw_per_chunk"], 560.0);
  EXPECT_GT(models[0]["r2"], 0.9999);
  EXPECT_GT(models[1]["r2"], 0.99);
  EXPECT_LT(models[1]["bits_per_chunk"], models[1]["bits_raw_per_chunk"]);
  EXPECT_EQ(models[1]["by_episode"].size(), 12u);
}

TEST_F(ActionsTest, AreRefusedWithAReason) {
  ASSERT_EQ(Train("bins").exit_code, 0);
  ExpectRefusal(2, {"encode", "episodes/1.npy", "-m", "./models/bins", "--source", "arm", "-o", "a.vqc"},
                "no source of actions called arm");
  WriteEpisode("wide.npy", 20, 5, 1);
  ExpectRefusal(2, {"encode", "wide.npy", "-m", "./models/bins", "-o", "a.vqc"},
                "5 dimensions, the source robot");
  Write("nan.npy", NpyHeaderOf("<f4", {1, 4}) + std::string("\0\0\xC0\x7F", 4) + std::string(12, '\0'));
  ExpectRefusal(3, {"encode", "nan.npy", "-m", "./models/bins", "-o", "a.vqc"}, "not finite");
  Write("empty.npy", NpyHeaderOf("<f4", {0, 4}));
  ExpectRefusal(3, {"encode", "empty.npy", "-m", "./models/bins", "-o", "a.vqc"}, "is empty");
  ExpectRefusal(2, {"encode", "episodes/1.npy", "-m", "./models/bins", "--action-levels", "3", "-o", "a.vqc"},
                "cannot be cut");
  ExpectRefusal(2, {"train", "action", "--data", "robot:3,1=episodes", "-o", "m"}, "slots that rise");
  ExpectRefusal(3, {"train", "action", "--data", "robot:0,1=episodes", "-o", "m"}, "has 4 dimensions");
  ASSERT_EQ(Run({"encode", "episodes/1.npy", "-m", "./models/bins", "-o", "a.vqc"}).exit_code, 0);
  std::string bytes = Read("a.vqc");
  for (size_t i = 0; i < bytes.size(); i += 5) {
    std::string bad = bytes;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    Write("bad.vqc", bad);
    EXPECT_NE(Run({"decode", "bad.vqc", "-m", "./models/bins", "--format", "npy", "-o", "bad.npy", "--force"})
                  .exit_code,
              0)
        << "byte " << i;
  }
}

}  // namespace
}  // namespace vqc
