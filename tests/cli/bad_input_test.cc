// SPDX-License-Identifier: Apache-2.0
// What goes wrong for users: one line on standard error with the path, the right exit status, nothing left
// behind.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <limits>
#include <thread>

#include "tests/cli/cli_test_base.h"

namespace vqc {
namespace {

using Names = std::vector<std::string>;

class BadInput : public CliTest {
 protected:
  // Runs `arguments` and expects one error line that has `mention` in it, and no file that was not there
  // before.
  void ExpectError(int exit_code, const Names& arguments, const std::string& mention, const How& how = {}) {
    const Names before = Files();
    const Ran ran = Run(arguments, how);
    EXPECT_EQ(ran.exit_code, exit_code) << ran.err;
    EXPECT_TRUE(ran.IsOneLineError()) << ran.err;
    EXPECT_NE(ran.err.find(mention), std::string::npos) << ran.err;
    EXPECT_EQ(ran.out, "");
    EXPECT_EQ(Files(), before);
  }

  // A stream of a picture, in a.vqc.
  std::string Stream() {
    Write("a.ppm", Ppm(40, 24));
    EXPECT_EQ(Run({"encode", "a.ppm", "-q", "-f"}).exit_code, 0);
    return Read("a.vqc");
  }
};

TEST_F(BadInput, Missing) { ExpectError(3, {"encode", "missing.png"}, "missing.png"); }

TEST_F(BadInput, NotAPicture) {
  Write("text.png", "this is no picture");
  ExpectError(3, {"encode", "text.png"}, "text.png");
}

TEST_F(BadInput, ZeroBytes) {
  Write("empty.png", "");
  ExpectError(3, {"encode", "empty.png"}, "empty.png");
  std::filesystem::remove(Path("empty.png"));
  Write("empty.vqc", "");
  ExpectError(4, {"decode", "empty.vqc"}, "empty.vqc");
  ExpectError(4, {"info", "empty.vqc"}, "empty.vqc");
}

TEST_F(BadInput, CutOffPictures) {
  Write("cut.ppm", Ppm(40, 24).substr(0, 700));
  ExpectError(3, {"encode", "cut.ppm"}, "cut.ppm");
  Write("cut.png", std::string("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16));
  ExpectError(3, {"encode", "cut.png"}, "cut.png");
  Write("cut.jpg", std::string("\xFF\xD8\xFF\xE0\0\x10JFIF", 10));
  ExpectError(3, {"encode", "cut.jpg"}, "cut.jpg");
}

TEST_F(BadInput, AHugeHeader) {
  Write("huge.ppm", "P6\n60000 60000\n255\nabc");
  ExpectError(3, {"encode", "huge.ppm"}, "huge.ppm");
  Write("large.ppm", Ppm(100, 100));
  ExpectError(3, {"encode", "large.ppm", "--max-pixels", "9999"}, "9999");
  ExpectError(3, {"encode", "large.ppm", "--max-input-bytes", "100"}, "large.ppm");
}

TEST_F(BadInput, AFolder) {
  Write("folder/a.ppm", Ppm(8, 8));
  ExpectError(3, {"encode", "folder"}, "folder");
  ExpectError(3, {"decode", "folder"}, "folder");
  std::filesystem::create_directories(Path("nothing"));
  ExpectError(3, {"encode", "-r", "nothing"}, "nothing");
}

TEST_F(BadInput, NoPermission) {
  Write("secret.ppm", Ppm(8, 8));
  ASSERT_EQ(chmod(Path("secret.ppm").c_str(), 0), 0);
  const Ran works = Run({"--version"}, {.unprivileged = true});
  if (works.exit_code != 0) GTEST_SKIP() << "the program cannot be run by another user here";
  ExpectError(3, {"encode", "secret.ppm"}, "secret.ppm", {.unprivileged = true});
}

TEST_F(BadInput, AFolderThatCannotBeWritten) {
  if (Run({"--version"}, {.unprivileged = true}).exit_code != 0) GTEST_SKIP();
  Write("a.ppm", Ppm(8, 8));
  ASSERT_EQ(chmod(folder_.c_str(), 0555), 0);
  ExpectError(3, {"encode", "a.ppm"}, "a.vqc", {.unprivileged = true});
}

TEST_F(BadInput, AnUnknownModel) {
  Write("a.ppm", Ppm(8, 8));
  ExpectError(5, {"encode", "a.ppm", "-m", "image-f61"}, "image-f61");
  ExpectError(5, {"info", "no-such-model"}, "no-such-model");
  ExpectError(5, {"eval", "a.ppm", "-m", "./nowhere"}, "nowhere");
}

TEST_F(BadInput, ADamagedModel) {
  Write("a.ppm", Ppm(8, 8));
  Write("b.ppm", Ppm(8, 8));
  const auto weights = models_ / "image-f16" / "model.safetensors";
  const auto card = models_ / "image-f16" / "card.json";
  const auto replace = [](const std::filesystem::path& path, const std::string& bytes) {
    FILE* file = std::fopen(path.c_str(), "wb");
    ASSERT_NE(file, nullptr);
    ASSERT_EQ(std::fwrite(bytes.data(), 1, bytes.size(), file), bytes.size());
    std::fclose(file);
  };
  const std::string good = Read(weights.string()), good_card = Read(card.string());
  std::string flipped = good;
  flipped.back() = static_cast<char>(flipped.back() ^ 1);
  for (const std::string& bytes : {flipped, good.substr(0, good.size() - 1), std::string(), good + "x"}) {
    replace(weights, bytes);
    ExpectError(5, {"encode", "a.ppm"}, "model.safetensors");
    ExpectError(5, {"encode", "a.ppm", "b.ppm", "-j", "2"}, "model.safetensors");  // once, not for each input
    ExpectError(5, {"info", "image-f16", "--check"}, "model.safetensors");
  }
  std::filesystem::remove(weights);
  ExpectError(5, {"encode", "a.ppm"}, "model.safetensors");
  replace(weights, good);
  for (const std::string& bytes :
       {std::string("{"), std::string(), good_card.substr(0, good_card.size() / 2)}) {
    replace(card, bytes);
    ExpectError(5, {"encode", "a.ppm"}, "card.json");
  }
}

TEST_F(BadInput, WeightsThatAreNotFinite) {
  Write("a.ppm", Ppm(8, 8));
  AddModel("unbounded", std::numeric_limits<float>::infinity());
  ExpectError(5, {"encode", "a.ppm", "-m", "unbounded"}, "not finite");
}

TEST_F(BadInput, ADeviceThatIsNotThere) {
  Write("a.ppm", Ppm(8, 8));
  ExpectError(6, {"encode", "a.ppm", "--device", "cuda:7"}, "cuda:7");
}

TEST_F(BadInput, NoTorchPart) {
  Write("a.ppm", Ppm(8, 8));
  // Where the real part lies beside the library it is found there; its networks do not know the fake
  // tokenizer.
  const Ran ran = Run({"encode", "a.ppm"}, {.environment = {"VQCODEC_PARTS=/nowhere"}});
  EXPECT_TRUE(ran.exit_code == 6 || ran.exit_code == 5) << ran.err;
  EXPECT_TRUE(ran.IsOneLineError()) << ran.err;
  EXPECT_EQ(Files(), Names{"a.ppm"});
}

// Many damaged copies of a stream in one call; every one must be refused.
TEST_F(BadInput, EveryChangedByteAndEveryCutOfAStreamIsRefused) {
  const std::string good = Stream();
  Names arguments = {"decode", "--json", "--format", "ppm"};
  for (size_t i = 0; i < good.size(); ++i) {
    std::string damaged = good;
    damaged[i] = static_cast<char>(damaged[i] ^ (1 << i % 8));
    Write("flip" + std::to_string(i) + ".vqc", damaged);
    Write("cut" + std::to_string(i) + ".vqc", good.substr(0, i));
    arguments.insert(arguments.end(),
                     {"flip" + std::to_string(i) + ".vqc", "cut" + std::to_string(i) + ".vqc"});
  }
  Write("longer.vqc", good + "x");
  arguments.push_back("longer.vqc");
  const Names before = Files();
  const Ran ran = Run(arguments);
  const auto json = ran.Json();
  ASSERT_EQ(json["results"].size(), 2 * good.size() + 1);
  EXPECT_EQ(json["failed"], 2 * good.size() + 1);
  int newer = 0;  // a changed version byte is that of a format yet to come
  for (const auto& record : json["results"]) {
    if (record["exit_code"] == 3) ++newer;
    EXPECT_TRUE(record["exit_code"] == 3 || record["exit_code"] == 4) << record;
  }
  EXPECT_LE(newer, 1);
  EXPECT_EQ(Files(), before);
}

TEST_F(BadInput, ADamagedStreamIsSalvagedOnRequest) {
  std::string damaged = Stream();
  damaged.back() = static_cast<char>(damaged.back() ^ 1);  // in the checksum
  Write("damaged.vqc", damaged);
  ExpectError(4, {"decode", "damaged.vqc", "-o", "b.ppm"}, "damaged.vqc");
  const Ran ran = Run({"decode", "damaged.vqc", "-o", "b.ppm", "--salvage", "--json"});
  EXPECT_EQ(ran.exit_code, 1) << ran.err;
  EXPECT_TRUE(Exists("b.ppm"));
  const auto record = ran.Json()["results"][0];
  EXPECT_EQ(record["crc_ok"], false);
  EXPECT_FALSE(record["defects"].empty());
  ASSERT_EQ(Run({"decode", "a.vqc", "-o", "c.ppm", "--salvage"}).exit_code, 0);
  EXPECT_EQ(Read("b.ppm"), Read("c.ppm"));
}

TEST_F(BadInput, NotAStream) {
  Write("a.ppm", Ppm(8, 8));
  ExpectError(4, {"decode", "a.ppm", "-o", "b.ppm"}, "a.ppm");
}

TEST_F(BadInput, TheWrongModel) {
  Stream();
  AddModel("other", 0.5f);
  ExpectError(5, {"decode", "a.vqc", "-o", "b.ppm", "-m", "other"}, "a.vqc");
  std::filesystem::remove_all(models_ / "image-f16");
  ExpectError(5, {"decode", "a.vqc", "-o", "b.ppm"}, "a.vqc");
}

TEST_F(BadInput, AnOutputThatExists) {
  Write("a.ppm", Ppm(8, 8));
  Write("a.vqc", "mine");
  ExpectError(2, {"encode", "a.ppm"}, "a.vqc");
  EXPECT_EQ(Read("a.vqc"), "mine");
  ExpectError(2, {"encode", "a.ppm", "-o", "a.ppm", "--force"}, "a.ppm");
  EXPECT_EQ(Read("a.ppm"), Ppm(8, 8));
  std::filesystem::create_directories(Path("folder"));
  ExpectError(2, {"encode", "a.ppm", "-o", "folder"}, "folder");
}

TEST_F(BadInput, AFullDisk) {
  Write("a.ppm", NoisePpm(400, 400));
  ExpectError(3, {"encode", "a.ppm", "-o", "/dev/full"}, "/dev/full");
  ExpectError(3, {"encode", "a.ppm"}, "a.vqc", {.max_file_bytes = 1000});
  Write("old.vqc", "old");
  ExpectError(3, {"encode", "a.ppm", "-o", "old.vqc", "-f"}, "old.vqc", {.max_file_bytes = 1000});
  EXPECT_EQ(Read("old.vqc"), "old");
}

TEST_F(BadInput, OptionsThatDoNotFit) {
  Write("a.ppm", Ppm(8, 8));
  Write("b.ppm", Ppm(8, 8));
  Write("other/a.ppm", Ppm(8, 8));
  ExpectError(2, {}, "--help");
  ExpectError(2, {"encdoe", "a.ppm"}, "encdoe");
  ExpectError(2, {"encode"}, "input");
  ExpectError(2, {"encode", "a.ppm", "--no-such-option"}, "--no-such-option");
  ExpectError(2, {"encode", "a.ppm", "-j", "-3"}, "-j");
  ExpectError(2, {"encode", "a.ppm", "--progress", "sometimes"}, "auto|always|never");
  ExpectError(2, {"encode", "a.ppm", "--alpha", "flatten=#12345"}, "flatten");
  ExpectError(2, {"encode", "a.ppm", "b.ppm", "-o", "c.vqc"}, "--output-dir");
  ExpectError(2, {"encode", "a.ppm", "other/a.ppm", "-O", "out"}, "out/a.vqc");
  ExpectError(2, {"encode", "a.ppm", "-o", "-", "--json"}, "standard output");
  ExpectError(2, {"encode", "-", "-"}, "standard input");
  ExpectError(2, {"completion", "tcsh"}, "tcsh");
}

TEST_F(BadInput, SomeOfManyFail) {
  Write("good.ppm", Ppm(8, 8));
  Write("bad.ppm", "P6");
  const Ran ran = Run({"encode", "bad.ppm", "good.ppm"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_TRUE(Exists("good.vqc"));
  std::filesystem::remove(Path("good.vqc"));
  EXPECT_EQ(Run({"encode", "bad.ppm", "good.ppm", "--fail-fast", "-j", "1"}).exit_code, 1);
  EXPECT_FALSE(Exists("good.vqc"));
}

TEST_F(BadInput, BinaryDataForATerminal) {
  Write("a.ppm", Ppm(8, 8));
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
  ASSERT_GE(terminal, 0);
  ASSERT_EQ(grantpt(terminal), 0);
  ASSERT_EQ(unlockpt(terminal), 0);
  const Ran ran = Run({"encode", "a.ppm", "-o", "-"}, {.standard_output_path = ptsname(terminal)});
  close(terminal);
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_NE(ran.err.find("terminal"), std::string::npos) << ran.err;
}

TEST_F(BadInput, AnInterruptLeavesFinishedOutputsOnly) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "ThreadSanitizer holds the signal back until the read ends, which never does";
#endif
  Write("a.ppm", Ppm(8, 8));
  ASSERT_EQ(mkfifo(Path("never").c_str(), 0600), 0);
  // The second input, a pipe, never comes to its end.
  const pid_t child = Start({"encode", "a.ppm", "-", "-j", "1"}, {.standard_input_path = Path("never")});
  const int keep_open = open(Path("never").c_str(), O_WRONLY);
  ASSERT_GE(keep_open, 0);
  int status = 0;
  while (!Exists("a.vqc")) {
    ASSERT_EQ(waitpid(child, &status, WNOHANG), 0) << "it ended by itself, " << status;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  ASSERT_EQ(kill(child, SIGINT), 0);
  ASSERT_EQ(waitpid(child, &status, 0), child);
  close(keep_open);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 130) << status;
  EXPECT_EQ(Files(), (Names{"a.ppm", "a.vqc", "never"}));
}

}  // namespace
}  // namespace vqc
