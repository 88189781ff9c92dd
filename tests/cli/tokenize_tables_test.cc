// SPDX-License-Identifier: Apache-2.0
// vqcodec tokenize with Parquet files of pictures and sound; they are by tests/oracle/tables.py.
#include <filesystem>

#include "data/tokens/shard_format.h"
#include "tests/cli/cli_test_base.h"
#include "tests/data/tables/golden_tables.h"

namespace vqc {
namespace {

using testing::kRows;
using testing::Picture;
using testing::Sound;

constexpr char kTables[] = VQC_SOURCE_DIR "/tests/golden/tables/";

class TokenizeTablesTest : public CliTest {
 protected:
  Ran Tokenize(const std::string& source, const std::string& output, std::vector<std::string> more = {}) {
    std::vector<std::string> all = {"tokenize", source, "-o", output, "--shard-size", "4", "--json"};
    all.insert(all.end(), more.begin(), more.end());
    return Run(all);
  }
  static std::string Table(const std::string& name) { return kTables + name + ".parquet"; }

  // "tokens" of each line of the shards.
  std::vector<nlohmann::json> Ids(const std::string& folder) const {
    std::vector<nlohmann::json> ids;
    for (const char* shard : {"/000000.jsonl", "/000001.jsonl", "/000002.jsonl"}) {
      std::istringstream lines(Read(folder + shard));
      for (std::string line; std::getline(lines, line);) ids.push_back(nlohmann::json::parse(line)["tokens"]);
    }
    return ids;
  }
};

TEST_F(TokenizeTablesTest, IdsAreThoseOfTheFiles) {
  for (int i = 0; i < kRows; ++i) Write("in/" + std::to_string(i) + ".ppm", Picture(i));
  ASSERT_EQ(Tokenize("in", "expected", {"--format", "jsonl"}).exit_code, 0);
  const auto expected = Ids("expected");
  ASSERT_EQ(expected.size(), kRows);
  EXPECT_NE(expected[0], expected[1]);
  for (const std::string name : {"datasets", "pages", "flat", "deltas"}) {
    const Ran ran = Tokenize(Table(name), name, {"--format", "jsonl"});
    ASSERT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_EQ(Ids(name), expected) << name;
  }
  ASSERT_EQ(Tokenize(Table("two"), "two", {"--format", "jsonl", "--column", "second"}).exit_code, 0);
  EXPECT_EQ(Ids("two"), expected);
}

TEST_F(TokenizeTablesTest, IdsOfSoundAreThoseOfTheFiles) {
  for (int i = 0; i < kRows; ++i) Write("in/" + std::to_string(i) + ".wav", Sound(i));
  const std::vector<std::string> options = {"-m", "speech-rvq", "--format", "jsonl"};
  ASSERT_EQ(Tokenize("in", "expected", options).exit_code, 0);
  std::filesystem::copy(Table("sound"), Path("clips.parquet"));
  const Ran ran = Tokenize("clips.parquet", "sound", options);
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(Ids("sound"), Ids("expected"));
  EXPECT_NE(Ids("sound")[0], Ids("sound")[1]);
  ASSERT_EQ(Run({"detokenize", "sound", "-O", "heard", "-q"}).exit_code, 0);
  EXPECT_EQ(Read("heard/clips/000004.txt"), "said 4");
}

TEST_F(TokenizeTablesTest, ShardsDoNotDependOnWorkersProcessesOrResuming) {
  namespace fs = std::filesystem;
  fs::create_directories(Path("set/data"));
  for (const std::string name : {"datasets", "pages", "nulls"})
    fs::copy(Table(name), Path("set/data/" + name + ".parquet"));
  Write("set/data/photo.ppm", Picture(3));
  for (const ShardFormat& format : ShardFormats()) {
    const std::string name(format.name);
    const std::vector<std::string> options = {"--format", name, "--skip-bad", "--key-column", "__key__"};
    const auto with = [&](std::vector<std::string> more) {
      more.insert(more.end(), options.begin(), options.end());
      return more;
    };
    const Ran one = Tokenize("set", name + "1", with({"-j", "1"}));
    ASSERT_EQ(one.exit_code, 0) << one.err;
    EXPECT_EQ(one.Json()["set_items"], 3 * kRows);
    EXPECT_EQ(one.Json()["set_skipped"], 1);
    const auto expected = Contents(name + "1");
    ASSERT_EQ(Tokenize("set", name + "8", with({"-j", "8"})).exit_code, 0);
    EXPECT_TRUE(Contents(name + "8") == expected) << name;
    ASSERT_EQ(Tokenize("set", name + "2", with({"--num-shards", "2", "--shard-index", "1"})).exit_code, 0);
    ASSERT_EQ(Tokenize("set", name + "2", with({"--num-shards", "2", "--shard-index", "0"})).exit_code, 0);
    EXPECT_TRUE(Contents(name + "2") == expected) << name;
    fs::remove(Path(name + "8/" + FilesOf(format, 2).front()));
    const Ran again = Tokenize("set", name + "8", with({}));
    EXPECT_EQ(again.Json()["shards_made"], 1);
    EXPECT_TRUE(Contents(name + "8") == expected) << name;

    ASSERT_EQ(Run({"detokenize", name + "1", "-O", "back-" + name, "--format", "ppm"}).exit_code, 0);
    EXPECT_EQ(Read("back-" + name + "/set/sample004_x.txt"), "caption 4 \u00e9") << name;
    EXPECT_EQ(Read("back-" + name + "/set/sample004_x.cls"), "1") << name;
    EXPECT_EQ(Read("back-" + name + "/set/sample004_x.path"), "photo4.ppm") << name;
    EXPECT_TRUE(Exists("back-" + name + "/set/sample004_x-2.ppm")) << name;
    EXPECT_TRUE(Exists("back-" + name + "/data/photo.ppm")) << name;
  }
}

TEST_F(TokenizeTablesTest, ListsPatternsAndBadRows) {
  Write("list", Table("datasets") + "\n" + Table("nulls") + "\n");
  const Ran listed = Run({"tokenize", "--files-from", "list", "-o", "out", "--json"});
  EXPECT_EQ(listed.exit_code, 1);
  EXPECT_EQ(listed.Json()["set_items"], 2 * kRows - 1);
  const std::string skipped = Read("out/skipped.jsonl");
  EXPECT_NE(skipped.find("nulls.parquet:7"), std::string::npos) << skipped;
  EXPECT_NE(skipped.find("has nothing in its column image.bytes"), std::string::npos) << skipped;
  const Ran matched = Tokenize(std::string(kTables) + "{datasets,pa*}.parquet", "more");
  EXPECT_EQ(matched.exit_code, 0) << matched.err;
  EXPECT_EQ(matched.Json()["set_items"], 2 * kRows);
}

TEST_F(TokenizeTablesTest, AreRefusedWithAReason) {
  ExpectRefusalOf(2, {"tokenize", Table("two"), "-o", "out"}, "two.parquet: several columns have bytes");
  ExpectRefusalOf(3, {"tokenize", Table("none"), "-o", "out"}, "none.parquet: has no column of media");
  ExpectRefusalOf(3, {"tokenize", Table("brotli"), "-o", "out"},
                  "brotli.parquet: the column image has compression 4");
  ExpectRefusalOf(2, {"tokenize", Table("datasets"), "-o", "out", "--column", "x"},
                  "--column x is no column");
  Write("cut.parquet", Read("cut.parquet") + "PAR1 and no more PAR1");
  ExpectRefusalOf(3, {"tokenize", "cut.parquet", "-o", "out"}, "cut.parquet: has a footer that is longer");
  ASSERT_EQ(Tokenize(Table("two"), "out", {"--column", "first"}).exit_code, 0);
  const Ran other = Tokenize(Table("two"), "out", {"--column", "second"});
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_NE(other.err.find("column"), std::string::npos) << other.err;
}

}  // namespace
}  // namespace vqc
