// SPDX-License-Identifier: Apache-2.0
// vqcodec tokenize, detokenize, inspect: data sets to shards of tokens and back.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>

#include "base/npy.h"
#include "data/tokens/shard_format.h"
#include "data/tokens/tar.h"
#include "tests/cli/cli_test_base.h"

namespace vqc {
namespace {

namespace fs = std::filesystem;

class TokenizeTest : public CliTest {
 protected:
  // 13 pictures of several sizes, some with captions.
  void WritePictures(const std::string& folder = "in", int count = 13) const {
    for (int i = 0; i < count; ++i) {
      const std::string stem = folder + "/" + (i % 3 ? "a/" : "b.c/") + "p" + std::to_string(100 + i);
      Write(stem + ".ppm", Ppm(24 + 8 * (i % 2), 16 + i % 5, i));
      if (i % 2 == 0) Write(stem + ".txt", "picture " + std::to_string(i) + "\n");
      if (i % 5 == 0) Write(stem + ".cls", std::to_string(i));
    }
    Write(folder + "/notes.md", "no picture");
  }

  Ran Tokenize(const std::string& output, std::vector<std::string> more = {}) {
    std::vector<std::string> all = {"tokenize", "in", "-o", output, "--shard-size", "5", "-q"};
    all.insert(all.end(), more.begin(), more.end());
    return Run(all);
  }

  void ExpectRefusal(int exit_code, const std::vector<std::string>& arguments, const std::string& mention) {
    const Ran ran = Run(arguments);
    EXPECT_EQ(ran.exit_code, exit_code) << ran.err;
    EXPECT_TRUE(ran.IsOneLineError()) << ran.err;
    EXPECT_NE(ran.err.find(mention), std::string::npos) << ran.err;
  }
};

std::vector<std::string> FormatNames() {
  std::vector<std::string> names;
  for (const ShardFormat& format : ShardFormats()) names.emplace_back(format.name);
  return names;
}

TEST_F(TokenizeTest, EveryFormatGivesThePicturesBack) {
  WritePictures();
  ASSERT_EQ(Run({"encode", "-r", "in", "-O", "vqc", "-q"}).exit_code, 0);
  ASSERT_EQ(Run({"decode", "-r", "vqc", "-O", "expected", "--format", "ppm", "-q"}).exit_code, 0);
  for (const std::string& format : FormatNames()) {
    const Ran ran = Tokenize(format, {"--format", format});
    ASSERT_EQ(ran.exit_code, 0) << format << ran.err;
    const Ran back = Run({"detokenize", format, "-O", "back-" + format, "--format", "ppm", "--json"});
    ASSERT_EQ(back.exit_code, 0) << format << back.err;
    EXPECT_EQ(back.Json()["items"], 13);
    for (const std::string& name : Files("expected")) {
      EXPECT_EQ(Read("back-" + format + "/" + name), Read("expected/" + name)) << format << " " << name;
      const std::string caption = name.substr(0, name.size() - 4) + ".txt";
      EXPECT_EQ(Read("back-" + format + "/" + caption), Read("in/" + caption)) << format << " " << caption;
    }
    EXPECT_EQ(Read("back-" + format + "/b.c/p100.cls"), "0");
  }
}

TEST_F(TokenizeTest, ShardsDoNotDependOnWorkersProcessesOrResuming) {
  WritePictures();
  for (const std::string& format : FormatNames()) {
    ASSERT_EQ(Tokenize(format + "1", {"--format", format, "-j", "1"}).exit_code, 0);
    const auto expected = Contents(format + "1");
    ASSERT_EQ(expected.size(),
              3 * FindShardFormat(format)->suffixes.size() + 2 + (FindShardFormat(format)->index ? 1 : 0))
        << format;
    for (const std::string workers : {"2", "8"}) {
      ASSERT_EQ(Tokenize(format + workers, {"--format", format, "-j", workers}).exit_code, 0);
      EXPECT_TRUE(Contents(format + workers) == expected) << format << " -j " << workers;
    }
    const std::vector<std::string> second = {"--format", format, "--num-shards", "2", "--shard-index", "1"};
    const std::vector<std::string> first = {"--format", format, "--num-shards", "2", "--shard-index", "0"};
    ASSERT_EQ(Tokenize(format + "two", second).exit_code, 0);
    EXPECT_FALSE(Exists(format + "two/manifest.json"));
    ASSERT_EQ(Tokenize(format + "two", first).exit_code, 0);
    EXPECT_TRUE(Contents(format + "two") == expected) << format;

    // One shard is lost, one is damaged: both are made again, the third is kept.
    const std::string last = FilesOf(*FindShardFormat(format), 2).back();
    fs::remove(Path(format + "8/" + FilesOf(*FindShardFormat(format), 0).front()));
    Write(format + "8/" + last, "damaged");
    const Ran again =
        Run({"tokenize", "in", "-o", format + "8", "--shard-size", "5", "--format", format, "--json"});
    ASSERT_EQ(again.exit_code, 0) << again.err;
    EXPECT_EQ(again.Json()["shards_made"], 2);
    EXPECT_EQ(again.Json()["shards_kept"], 1);
    EXPECT_TRUE(Contents(format + "8") == expected) << format;
  }
}

TEST_F(TokenizeTest, KilledAtAnyTimeItGoesOn) {
  WritePictures("in", 40);
  ASSERT_EQ(Tokenize("whole").exit_code, 0);
  const auto expected = Contents("whole");
  const int kills = std::getenv("VQC_FULL") ? 1000 : 25;
  for (int i = 0; i < kills; ++i) {
    const pid_t child = Start({"tokenize", "in", "-o", "killed", "--shard-size", "5", "-q"}, How());
    usleep(static_cast<useconds_t>(1000 * (1 + 7 * i % 60)));
    kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    // Whatever has a name is whole.
    for (const auto& [name, bytes] : Exists("killed") ? Contents("killed") : expected) {
      EXPECT_TRUE(!name.ends_with(".tar") || bytes == expected.at(name)) << name;
    }
    if (!Exists("killed/manifest.json")) continue;
    ASSERT_EQ(Tokenize("killed").exit_code, 0);
    EXPECT_TRUE(Contents("killed") == expected);
    fs::remove_all(Path("killed"));
  }
  const Ran ran = Tokenize("killed");
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_TRUE(Contents("killed") == expected);
}

TEST_F(TokenizeTest, BadItemsAreListedAndOrderStays) {
  WritePictures("in", 40);
  std::set<std::string> bad;
  for (int i = 0; i < 40; i += 7) {
    const std::string stem = std::string(i % 3 ? "a/" : "b.c/") + "p" + std::to_string(100 + i);
    Write("in/" + stem + ".ppm", i % 2 ? "P6\n24 16\n255\ncut off" : "");
    bad.insert(stem);
  }
  const Ran ran = Run({"tokenize", "in", "-o", "out", "--shard-size", "9", "--format", "jsonl", "--json"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_EQ(ran.Json()["set_skipped"], bad.size());
  EXPECT_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), static_cast<int>(bad.size()));
  std::ifstream list(Path("out/skipped.jsonl"));
  std::set<std::string> listed;
  for (std::string line; std::getline(list, line);) {
    const auto record = nlohmann::json::parse(line);
    EXPECT_NE(record["error"], "");
    listed.insert(record["key"]);
  }
  EXPECT_EQ(listed, bad);
  std::vector<std::string> keys;
  for (int shard = 0; shard < 5; ++shard) {
    std::ifstream lines(Path("out/00000" + std::to_string(shard) + ".jsonl"));
    for (std::string line; std::getline(lines, line);) keys.push_back(nlohmann::json::parse(line)["key"]);
  }
  EXPECT_EQ(keys.size(), 40 - bad.size());
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
  for (const std::string& key : keys) EXPECT_FALSE(bad.contains(key));

  EXPECT_EQ(Run({"tokenize", "in", "-o", "out", "--shard-size", "9", "--format", "jsonl", "-q", "--skip-bad"})
                .exit_code,
            0);
  const Ran fast = Run({"tokenize", "in", "-o", "fast", "--shard-size", "9", "--fail-fast", "-q"});
  EXPECT_EQ(fast.exit_code, 3) << fast.err;
  EXPECT_TRUE(fast.IsOneLineError()) << fast.err;
  for (const std::string& name : Files("fast")) EXPECT_FALSE(name.ends_with(".tmp")) << name;
}

TEST_F(TokenizeTest, TarsAndListsAreSources) {
  WritePictures();
  ASSERT_EQ(Tokenize("one").exit_code, 0);
  // Shards of media: two tars with the same samples, captions among them.
  const auto add = [](std::string& tar, const std::string& name, const std::string& bytes) {
    tar += TarHeader(name, bytes.size()) + bytes;
    tar.resize((tar.size() + 511) / 512 * 512, '\0');
  };
  std::string tars[2];
  const std::string long_name =
      std::string(90, 'd') + "/" + std::string(90, 'e') + "/" + std::string(120, 'f');
  for (int i = 0; i < 6; ++i) {
    const std::string key = i == 5 ? long_name : "dir.with.dots/s" + std::to_string(i);
    add(tars[i / 3], key + ".JSON", "{\"n\": " + std::to_string(i) + "}");
    add(tars[i / 3], key + ".ppm", Ppm(16, 16, i));
    add(tars[i / 3], key + ".seg.bin", std::string("\xff\x00\x01", 3));
  }
  for (int i = 0; i < 2; ++i) Write("in-" + std::to_string(i) + ".tar", tars[i] + TarEnd(tars[i].size()));
  for (const std::string& format : FormatNames()) {
    const Ran ran = Run({"tokenize", "in-{0..1}.tar", "-o", "tar-" + format, "--format", format, "-q"});
    ASSERT_EQ(ran.exit_code, 0) << ran.err;
    const Ran back = Run({"detokenize", "tar-" + format, "-O", "seen-" + format, "--format", "ppm", "-q"});
    ASSERT_EQ(back.exit_code, 0) << format << back.err;
    EXPECT_EQ(Files("seen-" + format).size(), 18u) << format;
    EXPECT_EQ(Read("seen-" + format + "/dir.with.dots/s4.json"), "{\"n\": 4}");
    EXPECT_EQ(Read("seen-" + format + "/dir.with.dots/s4.seg.bin"), std::string("\xff\x00\x01", 3));
  }
  std::string list;
  for (const std::string& name : Files("in")) {
    if (name.ends_with(".ppm")) list += "in/" + name + "\n";
  }
  const Ran listed = Run({"tokenize", "--files-from", "-", "-o", "listed", "--json"},
                         {.standard_input = list + "missing.ppm\n"});
  EXPECT_EQ(listed.exit_code, 1);
  EXPECT_EQ(listed.Json()["set_items"], 13);
  EXPECT_NE(listed.err.find("missing.ppm"), std::string::npos);
  const Ran globbed = Run({"tokenize", "in/a/*.ppm", "-o", "globbed", "--json"});
  EXPECT_EQ(globbed.exit_code, 0) << globbed.err;
  EXPECT_EQ(globbed.Json()["set_items"], 8);
}

TEST_F(TokenizeTest, NpyAndMegatronAreLaidOutAsTheirReadersExpect) {
  for (int i = 0; i < 3; ++i) Write("in/p" + std::to_string(i) + ".ppm", Ppm(24, 16, i));
  ASSERT_EQ(Tokenize("npy", {"--format", "npy"}).exit_code, 0);
  ASSERT_EQ(Tokenize("megatron", {"--format", "megatron"}).exit_code, 0);
  const std::string header = NpyHeaderOf("<u2", {3, 2, 3});
  EXPECT_EQ(Read("npy/000000.npy").substr(0, header.size()), header);
  const std::string ids = Read("npy/000000.npy").substr(header.size());
  EXPECT_EQ(ids.size(), 36u);
  EXPECT_EQ(Read("megatron/000000.bin"), ids);
  std::string expected("MMIDIDX\0\0\1\0\0\0\0\0\0\0\10\3\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0", 34);
  const auto number = [&](uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) expected += static_cast<char>(value >> (8 * i));
  };
  for (int i = 0; i < 3; ++i) number(6, 4);
  for (int i = 0; i < 3; ++i) number(12 * static_cast<uint64_t>(i), 8);
  for (int i = 0; i < 4; ++i) number(static_cast<uint64_t>(i), 8);
  EXPECT_EQ(Read("megatron/000000.idx"), expected);
}

TEST_F(TokenizeTest, InspectTellsWhatIsThere) {
  WritePictures();
  ASSERT_EQ(Tokenize("out").exit_code, 0);
  const Ran ran = Run({"inspect", "out", "--check", "--sheet", "sheet.ppm", "--json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const auto record = ran.Json();
  EXPECT_EQ(record["items"], 13);
  EXPECT_EQ(record["shards"], 3);
  EXPECT_EQ(record["sidecars"], 10);
  const auto& level = record["levels"][0];
  EXPECT_EQ(level["vocab"], 512);
  uint64_t counted = 0;
  for (const auto& bin : level["histogram"]) counted += bin.get<uint64_t>();
  EXPECT_EQ(counted, record["tokens"]);
  EXPECT_LE(level["usage"], level["usage_bound"]);
  EXPECT_GT(level["perplexity"], 1.0);
  EXPECT_EQ(Read("sheet.ppm").substr(0, 15), "P6\n532 532\n255\n");
  EXPECT_EQ(Run({"inspect", "out/000001.tar", "--json"}).Json()["items"], 5);
  EXPECT_NE(Run({"inspect", "out"}).out.find("perplexity"), std::string::npos);

  // A byte of a shard that no reader looks at.
  std::string shard = Read("out/000001.tar");
  shard[shard.size() - 1] = 1;
  Write("out/000001.tar", shard);
  ExpectRefusal(4, {"inspect", "out", "--check"}, "000001.tar: is not what the manifest says");
  fs::rename(Path("out/000002.tar"), Path("alone.tar"));
  ExpectRefusal(2, {"inspect", "alone.tar"}, "name it with --model");
  EXPECT_EQ(Run({"inspect", "alone.tar", "-m", "image-f16", "--json"}).Json()["items"], 3);
}

TEST_F(TokenizeTest, SoundIsTokenizedChannelByChannel) {
  std::string wav("RIFF\0\0\0\0WAVEfmt \20\0\0\0\1\0\2\0\xC0\x5D\0\0\0\x77\1\0\4\0\20\0data", 40);
  const uint32_t bytes = 4 * 1000;
  for (int i = 0; i < 4; ++i) wav += static_cast<char>(bytes >> (8 * i));
  for (uint32_t i = 0; i < bytes; ++i) wav += static_cast<char>(i * 7 % 61);
  for (int i = 0; i < 4; ++i) wav[static_cast<size_t>(4 + i)] = static_cast<char>((bytes + 36) >> (8 * i));
  Write("in/a.wav", wav);
  std::string tar = TarHeader("a.wav", wav.size()) + wav;
  tar.resize((tar.size() + 511) / 512 * 512, '\0');
  Write("in.tar", tar + TarEnd(tar.size()));
  ASSERT_EQ(Run({"encode", "in/a.wav", "-m", "speech-rvq", "-o", "a.vqc", "-q"}).exit_code, 0);
  ASSERT_EQ(Run({"decode", "a.vqc", "-o", "expected.wav", "-q"}).exit_code, 0);
  for (const std::string& format : FormatNames()) {
    for (const std::string source : {"in", "in.tar"}) {
      const std::string out = source + "-" + format;
      const Ran ran = Run({"tokenize", source, "-m", "speech-rvq", "-o", out, "--format", format, "-q"});
      ASSERT_EQ(ran.exit_code, 0) << ran.err;
      ASSERT_EQ(Run({"detokenize", out, "-O", "heard-" + out, "-q"}).exit_code, 0);
      EXPECT_EQ(Read("heard-" + out + "/a.wav"), Read("expected.wav")) << out;
    }
  }
  const auto record = Run({"inspect", "in-npy", "--json"}).Json();
  EXPECT_EQ(record["shapes"][0]["shape"], (std::vector<int>{2, 4, 2}));
  EXPECT_EQ(record["levels"].size(), 2u);
}

TEST_F(TokenizeTest, InterruptFinishesTheShard) {
  WritePictures("in", 60);
  ASSERT_EQ(Run({"tokenize", "in", "-o", "whole", "--shard-size", "20"}).exit_code, 0);
  const pid_t child = Start({"tokenize", "in", "-o", "out", "--shard-size", "20"}, How());
  for (int i = 0; i < 2000 && !Exists("out/plan.json"); ++i) usleep(1000);
  kill(child, SIGINT);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_TRUE(WEXITSTATUS(status) == 130 || WEXITSTATUS(status) == 0);
  EXPECT_TRUE(Exists("out/000000.tar"));
  for (const std::string& name : Files("out")) EXPECT_FALSE(name.ends_with(".tmp")) << name;
  ASSERT_EQ(Run({"tokenize", "in", "-o", "out", "--shard-size", "20"}).exit_code, 0);
  EXPECT_TRUE(Contents("out") == Contents("whole"));
}

TEST_F(TokenizeTest, RefusesWithReasons) {
  WritePictures();
  ASSERT_EQ(Tokenize("out").exit_code, 0);
  ExpectRefusal(2, {"tokenize", "in", "-o", "out", "--shard-size", "6"}, "shard_items 5, this run has 6");
  ExpectRefusal(2, {"tokenize", "in/a", "-o", "out", "--shard-size", "5"}, "--overwrite");
  AddModel("other", 0.5f);
  ExpectRefusal(2, {"tokenize", "in", "-o", "out", "--shard-size", "5", "-m", "other"}, "model");
  ExpectRefusal(2, {"tokenize", "in", "-o", "in"}, "holds other files than a set of tokens");
  ExpectRefusal(2, {"tokenize", "in", "-o", "new", "--num-shards", "2", "--shard-index", "2"},
                "--num-shards 2");
  ExpectRefusal(2, {"tokenize", "in", "-o", "new", "--format", "zip"}, "zip");
  ExpectRefusal(2, {"tokenize", "-o", "new"}, "no source");
  ExpectRefusal(3, {"tokenize", "in/b.c/p100.txt", "-o", "new", "--fail-fast"}, "p100.txt");
  ExpectRefusal(3, {"tokenize", "vqc.tar", "-o", "new"}, "vqc.tar");
  Write("bad.tar", Read("out/000000.tar").substr(0, 700));
  ExpectRefusal(3, {"tokenize", "bad.tar", "-o", "new"}, "cut off");
  EXPECT_FALSE(Exists("new/manifest.json"));
  ExpectRefusal(5, {"detokenize", "out", "-O", "seen", "-m", "other"}, "is not the model that made the set");
  ExpectRefusal(3, {"detokenize", "in", "-O", "seen"}, "plan.json");
  ExpectRefusal(3, {"inspect", "in/notes.md"}, "is no shard by its name");
  EXPECT_EQ(Run({"tokenize", "in", "-o", "out", "--shard-size", "6", "--overwrite", "-q"}).exit_code, 0);
  EXPECT_EQ(Run({"inspect", "out", "--check", "--json"}).Json()["items"], 13);
  const Ran dry = Run({"tokenize", "in", "-o", "dry", "--dry-run"});
  EXPECT_NE(dry.out.find("13 items"), std::string::npos) << dry.out;
  EXPECT_FALSE(Exists("dry"));
}

TEST_F(TokenizeTest, FullDiskIsAnErrorAndTheSameCommandGoesOn) {
  WritePictures();
  ASSERT_EQ(Tokenize("whole").exit_code, 0);
  for (const std::string& format : FormatNames()) {
    for (const size_t room : {100, 600, 2000, 5000}) {
      const Ran ran = Run({"tokenize", "in", "-o", "full", "--shard-size", "5", "--format", format, "-q"},
                          {.max_file_bytes = room});
      if (ran.exit_code == 0) continue;
      EXPECT_EQ(ran.exit_code, 3) << ran.err;
      EXPECT_TRUE(ran.IsOneLineError()) << ran.err;
      EXPECT_NE(ran.err.find("File too large"), std::string::npos) << ran.err;
    }
    ASSERT_EQ(Tokenize("full", {"--format", format}).exit_code, 0);
    EXPECT_TRUE(format != "webdataset" || Contents("full") == Contents("whole"));
    fs::remove_all(Path("full"));
  }
}

// Shards come from elsewhere: whatever is in them, nothing crashes and nothing is written outside of the
// folder.
TEST_F(TokenizeTest, DamagedShardsAreErrors) {
  WritePictures("in", 3);
  for (const std::string& format : FormatNames()) {
    ASSERT_EQ(Tokenize(format, {"--format", format}).exit_code, 0);
    fs::remove(Path(format + "/manifest.json"));
    for (const std::string& name : FilesOf(*FindShardFormat(format), 0)) {
      const std::string whole = Read(format + "/" + name);
      for (size_t i = 0; i < 6; ++i) {
        const size_t size = whole.size() * i / 6;
        Write(format + "/" + name, whole.substr(0, size));
        const Ran ran = Run({"inspect", format});
        const bool legal = format == "jsonl" && size == 0;  // no lines are JSON lines
        EXPECT_TRUE(ran.exit_code == 3 || ran.exit_code == 4 || (ran.exit_code == 0 && legal))
            << format << " " << name << " " << size << ": " << ran.exit_code << ran.err;
        std::string flipped = whole;
        flipped[size] = static_cast<char>(flipped[size] ^ 0x10);
        Write(format + "/" + name, flipped);
        const Ran other = Run({"inspect", format});
        EXPECT_TRUE(other.exit_code == 0 || other.exit_code == 3 || other.exit_code == 4)
            << format << " " << name << " " << size << ": " << other.exit_code << other.err;
      }
      Write(format + "/" + name, whole);
    }
  }
  std::string line = Read("jsonl/000000.jsonl");
  const size_t key = line.find("\"key\":\"") + 7;
  line.replace(key, line.find('"', key) - key, "../../../escape");
  Write("jsonl/000000.jsonl", line);
  ASSERT_EQ(Run({"detokenize", "jsonl", "-O", "safe", "--format", "ppm", "-q"}).exit_code, 0);
  EXPECT_TRUE(Exists("safe/__/__/__/escape.ppm"));
  fs::remove_all(Path("safe"));
  fs::create_directories(Path("safe"));
  fs::create_directory_symlink(Path("in"), Path("safe/__"));
  EXPECT_EQ(Run({"detokenize", "jsonl", "-O", "safe", "--format", "ppm", "-q"}).exit_code, 1);
  EXPECT_FALSE(Exists("in/__"));
}

}  // namespace
}  // namespace vqc
