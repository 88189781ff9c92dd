// SPDX-License-Identifier: Apache-2.0
// Models of robot actions that need no network, from training to files and back, and the committed one.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>

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

// The model that the program comes with, on an episode of a task that it has not seen.
class CommittedActionModel : public ActionsTest {
 protected:
  void SetUp() override {
    ActionsTest::SetUp();
    how_.environment = {"VQCODEC_MODELS=" VQC_SOURCE_DIR "/models/pretrained"};
    const auto read = [](const std::string& name) {
      std::ifstream file(VQC_SOURCE_DIR + name, std::ios::binary);
      return std::string(std::istreambuf_iterator<char>(file), {});
    };
    golden_ = read("/tests/golden/v1/models/actions-mixing.vqc");
    Write("sweep.npy", read("/data/samples/sweep.npy"));
    Write("golden.vqc", golden_);
  }

  Ran RunReal(const std::vector<std::string>& arguments) { return Run(arguments, how_); }

  double SquaredError(const std::string& name) const {
    const auto before = Values("sweep.npy"), after = Values(name);
    EXPECT_EQ(after.size(), before.size());
    double error = 0;
    for (size_t i = 0; i < std::min(before.size(), after.size()); ++i)
      error += std::pow(after[i] - before[i], 2) / static_cast<double>(before.size());
    return error;
  }

  How how_;
  std::string golden_;
};

TEST_F(CommittedActionModel, GivesTheSameIdsAloneAndBesideOthersForAnyNumberOfThreads) {
  ASSERT_EQ(RunReal({"encode", "sweep.npy", "-m", "actions", "-o", "alone.vqc"}).exit_code, 0);
  EXPECT_EQ(Read("alone.vqc"), golden_);
  for (const std::string jobs : {"1", "3"}) {
    const Ran ran = RunReal({"encode", "episodes/1.npy", "sweep.npy", "episodes/2.npy", "-m", "actions", "-O",
                             "coded" + jobs, "-j", jobs});
    ASSERT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_EQ(Read("coded" + jobs + "/sweep.vqc"), golden_);
  }
}

TEST_F(CommittedActionModel, IsTheDefaultForWhatLooksLikeActions) {
  const Ran ran = RunReal({"encode", "sweep.npy", "episodes/1.npy", "-O", "coded", "--json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(ran.Json()["results"][0]["model"], "actions");
  EXPECT_EQ(Read("coded/sweep.vqc"), golden_);
  How piped = how_;
  piped.standard_input = Read("sweep.npy");
  ASSERT_EQ(Run({"encode", "-", "-o", "piped.vqc"}, piped).exit_code, 0);
  EXPECT_EQ(Read("piped.vqc"), golden_);
  WriteEpisode("wide.npy", 20, 7, 1);
  const Ran wide = RunReal({"encode", "wide.npy", "-o", "wide.vqc"});
  EXPECT_EQ(wide.exit_code, 2);
  EXPECT_NE(wide.err.find("7 dimensions, the source metaworld"), std::string::npos) << wide.err;
}

TEST_F(CommittedActionModel, DecodesItsGoldenStream) {
  const Ran decoded = RunReal({"decode", "golden.vqc", "-o", "back.npy", "--json"});
  ASSERT_EQ(decoded.exit_code, 0) << decoded.err;
  EXPECT_EQ(decoded.Json()["results"][0]["steps"], 98);
  EXPECT_LT(SquaredError("back.npy"), 2e-4);
  double coarser = 1;
  for (const std::string levels : {"1", "2", "3", "6"}) {
    ASSERT_EQ(
        RunReal({"encode", "sweep.npy", "-m", "actions", "--action-levels", levels, "-o", "cut.vqc", "-f"})
            .exit_code,
        0);
    ASSERT_EQ(RunReal({"decode", "cut.vqc", "-o", "cut.npy", "-f"}).exit_code, 0);
    const double error = SquaredError("cut.npy");
    EXPECT_LT(error, coarser) << levels << " levels";
    coarser = error;
  }
}

TEST_F(CommittedActionModel, IsToldByInfo) {
  const Ran told = RunReal({"info", "golden.vqc", "--check", "--json"});
  ASSERT_EQ(told.exit_code, 0) << told.err;
  const auto record = told.Json()["results"][0];
  EXPECT_EQ(record["modality"], "action");
  EXPECT_EQ(record["steps"], 98);
  EXPECT_EQ(record["dimensions"], 4);
  EXPECT_EQ(record["source"], "metaworld");
  EXPECT_EQ(record["levels"], 6);
  EXPECT_EQ(record["tokens"], 10 * 7 * 6);
  EXPECT_EQ(record["tokens_ok"], true);
  EXPECT_FALSE(record.contains("width"));
}

TEST_F(CommittedActionModel, RefusesEveryChangedByteAndEveryCut) {
  std::vector<std::string> arguments = {"decode", "--json", "--format", "npy"};
  for (size_t i = 0; i < golden_.size(); ++i) {
    std::string damaged = golden_;
    damaged[i] = static_cast<char>(damaged[i] ^ (1 << i % 8));
    const std::string number = std::to_string(i);
    Write("flip" + number + ".vqc", damaged);
    Write("cut" + number + ".vqc", golden_.substr(0, i));
    arguments.insert(arguments.end(), {"flip" + number + ".vqc", "cut" + number + ".vqc"});
  }
  const auto before = Files();
  EXPECT_EQ(RunReal(arguments).Json()["failed"], 2 * golden_.size());
  EXPECT_EQ(Files(), before);
}

}  // namespace
}  // namespace vqc
