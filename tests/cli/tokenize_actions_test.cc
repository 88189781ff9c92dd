// SPDX-License-Identifier: Apache-2.0
// vqcodec tokenize, inspect and detokenize with episodes of actions.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <map>

#include "base/npy.h"
#include "data/tokens/shard_format.h"
#include "data/tokens/tar.h"
#include "tests/cli/cli_test_base.h"

namespace vqc {
namespace {

constexpr int kFiles = 6, kEpisodes = 4, kSteps = 23, kDims = 3;

class TokenizeActionsTest : public CliTest {
 protected:
  // Files of several episodes and of one, and a model of them.
  void SetUp() override {
    CliTest::SetUp();
    for (int i = 0; i < kFiles; ++i)
      Write("in/" + std::string(i % 2 ? "b" : "a") + "/" + std::to_string(i) + ".npy", Several(i));
    Write("in/one.npy", Npy({kSteps, kDims}, Values(1, 9)));
    Write("in/one.txt", "pick the cup");
    for (const std::string tokenizer : {"courses", "bins", "fast"}) {
      const Ran trained =
          Run({"train",     "action",     "--data", "arm=in",      "--data",  "other=in",           "--dims",
               "3",         "--quantile", "0",      "--tokenizer", tokenizer, "--levels",           "3",
               "--entries", "16",         "--name", tokenizer,     "-o",      "models/" + tokenizer});
      ASSERT_EQ(trained.exit_code, 0) << trained.err;
    }
  }

  static std::vector<float> Values(int episodes, int seed) {
    std::vector<float> values;
    for (int i = 0; i < episodes * kSteps * kDims; ++i)
      values.push_back(std::sin(0.37f * static_cast<float>(i + 50 * seed)));
    return values;
  }
  static std::string Npy(const std::vector<uint64_t>& shape, const std::vector<float>& values) {
    return NpyHeaderOf("<f4", shape) +
           std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  }
  static std::string Several(int seed) { return Npy({kEpisodes, kSteps, kDims}, Values(kEpisodes, seed)); }

  Ran Tokenize(const std::string& output, std::vector<std::string> more = {}) {
    std::vector<std::string> all = {"tokenize", "in", "-o", output, "--shard-size", "7", "--source", "arm"};
    if (std::find(more.begin(), more.end(), "-m") == more.end())
      all.insert(all.end(), {"-m", "./models/courses"});
    all.insert(all.end(), more.begin(), more.end());
    return Run(all);
  }

  static constexpr int kItems = kFiles * kEpisodes + 1;
};

TEST_F(TokenizeActionsTest, EveryFormatAndTokenizerGivesTheEpisodesBack) {
  for (const std::string model : {"courses", "bins", "fast"}) {
    std::map<std::string, std::string> expected;
    for (const ShardFormat& format : ShardFormats()) {
      const std::string name = model + "-" + std::string(format.name);
      const Ran ran =
          Tokenize(name, {"--format", std::string(format.name), "-m", "./models/" + model, "--json"});
      ASSERT_EQ(ran.exit_code, 0) << name << ran.err;
      EXPECT_EQ(ran.Json()["items"], kItems);
      const Ran back = Run({"detokenize", name, "-m", "./models/" + model, "-O", "back-" + name, "--json"});
      ASSERT_EQ(back.exit_code, 0) << name << back.err;
      EXPECT_EQ(back.Json()["items"], kItems);
      EXPECT_EQ(Read("back-" + name + "/one.txt"), "pick the cup");
      const auto found = Contents("back-" + name);
      if (expected.empty()) expected = found;
      EXPECT_TRUE(found == expected) << name;
    }
    // As encode and decode have it.
    ASSERT_EQ(Run({"encode", "in/b/3.npy", "-m", "./models/" + model, "--source", "arm", "--episode", "2",
                   "-o", "e.vqc", "-f"})
                  .exit_code,
              0);
    ASSERT_EQ(Run({"decode", "e.vqc", "-m", "./models/" + model, "-o", "e.npy", "-f"}).exit_code, 0);
    EXPECT_EQ(expected.at("b/3/2.npy"), Read("e.npy")) << model;
  }
}

TEST_F(TokenizeActionsTest, ShardsDoNotDependOnWorkersProcessesOrResuming) {
  ASSERT_EQ(Tokenize("one", {"-j", "1"}).exit_code, 0);
  const auto expected = Contents("one");
  ASSERT_EQ(expected.size(), 4u + 2);
  for (const std::string workers : {"2", "8"}) {
    ASSERT_EQ(Tokenize("many" + workers, {"-j", workers}).exit_code, 0);
    EXPECT_TRUE(Contents("many" + workers) == expected) << "-j " << workers;
  }
  ASSERT_EQ(Tokenize("two", {"--num-shards", "2", "--shard-index", "1"}).exit_code, 0);
  ASSERT_EQ(Tokenize("two", {"--num-shards", "2", "--shard-index", "0"}).exit_code, 0);
  EXPECT_TRUE(Contents("two") == expected);
  std::filesystem::remove(Path("many8/000001.tar"));
  const Ran again = Tokenize("many8", {"--json"});
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(again.Json()["shards_made"], 1);
  EXPECT_TRUE(Contents("many8") == expected);
  // Another source of the model makes another set, also where its ranges are the same.
  const Ran other = Run(
      {"tokenize", "in", "-o", "one", "--shard-size", "7", "-m", "./models/courses", "--source", "other"});
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_NE(other.err.find("action_source"), std::string::npos) << other.err;
}

TEST_F(TokenizeActionsTest, BadEpisodesAreLeftOutAlone) {
  auto values = Values(kEpisodes, 2);
  values[kSteps * kDims + 4] = std::numeric_limits<float>::quiet_NaN();
  Write("in/a/2.npy", Npy({kEpisodes, kSteps, kDims}, values));
  Write("in/cut.npz", "PK\x03\x04 and no more");
  Write("in/empty.npy", Npy({0, kDims}, {}));
  Write("in/wide.npy", Npy({kSteps, kDims + 1}, std::vector<float>(kSteps * (kDims + 1))));
  const Ran ran = Tokenize("out", {"--format", "jsonl", "--json"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_EQ(ran.Json()["set_skipped"], 4);
  EXPECT_EQ(ran.Json()["set_items"], kItems - 1);
  const std::string skipped = Read("out/skipped.jsonl");
  for (const std::string mention :
       {"a/2/1", "not finite at step 1, dimension 1", "cut off or damaged", "is empty", "have 4 dimensions"})
    EXPECT_NE(skipped.find(mention), std::string::npos) << mention << "\n" << skipped;
  EXPECT_EQ(Tokenize("fast", {"--fail-fast"}).exit_code, 3);
}

TEST_F(TokenizeActionsTest, TarsOfSamplesAreASource) {
  std::string tar;
  const auto add = [&](const std::string& name, const std::string& bytes) {
    tar += TarHeader(name, bytes.size()) + bytes;
    tar.resize((tar.size() + 511) / 512 * 512, '\0');
  };
  add("s1.json", "{}");
  add("s1.npy", Read("in/one.npy"));
  add("s2.npy", Several(1));
  Write("in.tar", tar + TarEnd(tar.size()));
  const Ran ran =
      Run({"tokenize", "in.tar", "-o", "out", "-m", "./models/courses", "--source", "arm", "--json"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_NE(ran.err.find("holds 4 episodes"), std::string::npos) << ran.err;
  ASSERT_EQ(Run({"detokenize", "out", "-m", "./models/courses", "-O", "back"}).exit_code, 0);
  EXPECT_EQ(Files("back"), (std::vector<std::string>{"s1.json", "s1.npy"}));
}

TEST_F(TokenizeActionsTest, EpisodesOfALeRobotSetAreItems) {
  namespace fs = std::filesystem;
  fs::create_directories(Path("set/data/chunk-000"));
  Write("set/meta/info.json", "{}");
  Write("set/meta/tasks.parquet", "PAR1");
  for (const std::string name : {"one", "two"})
    fs::copy(VQC_SOURCE_DIR "/tests/golden/actions/lerobot-" + name + ".parquet",
             Path("set/data/chunk-000/" + name + ".parquet"));
  ASSERT_EQ(Run({"train", "action", "--data", "robot=set", "--dims", "3", "--tokenizer", "bins", "-o",
                 "models/robot"})
                .exit_code,
            0);
  const Ran ran = Run({"tokenize", "set", "-o", "out", "-m", "./models/robot", "--json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(ran.Json()["set_items"], 3);
  ASSERT_EQ(Run({"detokenize", "out", "-m", "./models/robot", "-O", "back"}).exit_code, 0);
  EXPECT_EQ(Files("back"),
            (std::vector<std::string>{"data/chunk-000/one.npy", "data/chunk-000/two/episode_000003.npy",
                                      "data/chunk-000/two/episode_000004.npy"}));
}

TEST_F(TokenizeActionsTest, AreInspected) {
  ASSERT_EQ(Tokenize("out").exit_code, 0);
  const Ran ran =
      Run({"inspect", "out", "--check", "--sheet", "sheet.ppm", "-m", "./models/courses", "--json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(ran.Json()["items"], kItems);
  EXPECT_EQ(ran.Json()["shapes"][0]["shape"], (std::vector<int>{3, 1, kDims, 3}));
  EXPECT_TRUE(Read("sheet.ppm").starts_with("P6\n664 664\n")) << Read("sheet.ppm").substr(0, 20);
}

TEST_F(TokenizeActionsTest, AreRefusedWithAReason) {
  ExpectRefusalOf(2, {"tokenize", "in", "-o", "out", "-m", "./models/courses"},
                  "name one with --source: arm, other");
  ExpectRefusalOf(2, {"tokenize", "in", "-o", "out", "--source", "arm"}, "--source is for models of actions");
  ExpectRefusalOf(
      2, {"tokenize", "in", "-o", "out", "-m", "./models/courses", "--source", "arm", "--key-column", "name"},
      "--column and --key-column are for pictures and sound");
  ASSERT_EQ(Tokenize("out").exit_code, 0);
  ExpectRefusalOf(2, {"detokenize", "out", "-m", "./models/courses", "-O", "back", "--format", "png"},
                  "actions are written as npy");
}

}  // namespace
}  // namespace vqc
