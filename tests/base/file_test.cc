// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "base/printable.h"
#include "tests/base/temp_folder.h"

namespace vqc {
namespace {

using testing::Put;
using testing::Slurp;
using testing::TempFolder;

std::string Text(const std::vector<uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }

void ExpectError(const Error& error, ErrorCode code, std::initializer_list<std::string_view> parts) {
  EXPECT_EQ(error.code, code) << error.message;
  for (const auto part : parts) EXPECT_NE(error.message.find(part), std::string::npos) << error.message;
  EXPECT_EQ(error.message.find('\n'), std::string::npos) << error.message;
}

TEST(ReadFile, ReadsWholeFilesUpToTheLimit) {
  TempFolder folder;
  const std::string path = folder.Path("a");
  for (const size_t size : {size_t{0}, size_t{1}, size_t{65535}, size_t{65536}, size_t{300000}}) {
    Put(path, std::string(size, 'x'));
    const auto bytes = ReadFile(path, size);
    ASSERT_TRUE(bytes.ok()) << bytes.error().message;
    EXPECT_EQ(bytes->size(), size);
    if (size == 0) continue;
    const auto refused = ReadFile(path, size - 1);
    ASSERT_FALSE(refused.ok());
    ExpectError(refused.error(), ErrorCode::kLimit, {path, std::to_string(size), std::to_string(size - 1)});
  }
}

TEST(ReadFile, ReadsFilesThatDoNotTellTheirSize) {
  const auto bytes = ReadFile("/proc/self/status", 1 << 20);
  ASSERT_TRUE(bytes.ok()) << bytes.error().message;
  EXPECT_NE(Text(*bytes).find("Umask"), std::string::npos);
  EXPECT_FALSE(ReadFile("/proc/self/status", 10).ok());
}

TEST(ReadFile, NamesWhatIsWrong) {
  TempFolder folder;
  ExpectError(ReadFile(folder.Path("missing"), 10).error(), ErrorCode::kInput,
              {folder.Path("missing"), "No such file"});
  ExpectError(ReadFile(folder.path(), 10).error(), ErrorCode::kInput, {"is a folder"});
  ExpectError(ReadFile("", 10).error(), ErrorCode::kInput, {"No such file"});
  ExpectError(ReadFile("/dev/zero", 10).error(), ErrorCode::kInput, {"/dev/zero", "not a regular file", "-"});
  ASSERT_EQ(mkfifo(folder.Path("pipe").c_str(), 0600), 0);
  ExpectError(ReadFile(folder.Path("pipe"), 10).error(), ErrorCode::kInput, {"not a regular file"});
  ASSERT_EQ(symlink("loop", folder.Path("loop").c_str()), 0);
  ExpectError(ReadFile(folder.Path("loop"), 10).error(), ErrorCode::kInput, {"loop", "symbolic links"});
  if (geteuid() != 0) {
    Put(folder.Path("secret"), "x");
    chmod(folder.Path("secret").c_str(), 0);
    ExpectError(ReadFile(folder.Path("secret"), 10).error(), ErrorCode::kInput, {"Permission denied"});
  }
}

TEST(ReadFile, DashIsStandardInput) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const int saved = dup(STDIN_FILENO);
  dup2(ends[0], STDIN_FILENO);
  const std::string text(200000, 'q');
  std::thread writer([&] {
    for (size_t at = 0; at < text.size();) {
      const ssize_t wrote = write(ends[1], text.data() + at, std::min<size_t>(text.size() - at, 777));
      if (wrote <= 0) break;
      at += static_cast<size_t>(wrote);
    }
    close(ends[1]);
  });
  const auto bytes = ReadFile("-", 1 << 20);
  writer.join();
  dup2(saved, STDIN_FILENO);
  close(saved);
  close(ends[0]);
  ASSERT_TRUE(bytes.ok());
  EXPECT_EQ(Text(*bytes), text);
}

TEST(WriteFile, NeverOverwritesWithoutForce) {
  TempFolder folder;
  const std::string path = folder.Path("out");
  ASSERT_TRUE(WriteFileAtomically(path, "one").ok());
  EXPECT_EQ(Slurp(path), "one");
  ExpectError(WriteFileAtomically(path, "two").error(), ErrorCode::kExists, {path, "--force"});
  EXPECT_EQ(Slurp(path), "one");
  ASSERT_TRUE(WriteFileAtomically(path, "three", {.force = true}).ok());
  EXPECT_EQ(Slurp(path), "three");
  EXPECT_EQ(folder.Entries(), 1u);
}

TEST(WriteFile, AFileThatAppearsMeanwhileIsKept) {
  TempFolder folder;
  const std::string path = folder.Path("out");
  auto file = OutputFile::Create(path);
  ASSERT_TRUE(file.ok());
  const std::vector<uint8_t> bytes = {1, 2, 3};
  ASSERT_TRUE(file->Write(bytes).ok());
  Put(path, "theirs");
  ExpectError(file->Commit().error(), ErrorCode::kExists, {path, "--force"});
  { const OutputFile gone = std::move(*file); }
  EXPECT_EQ(Slurp(path), "theirs");
  EXPECT_EQ(folder.Entries(), 1u);
}

TEST(WriteFile, NothingIsSeenBeforeCommitAndNothingIsLeftWithoutIt) {
  TempFolder folder;
  {
    auto file = OutputFile::Create(folder.Path("out"));
    ASSERT_TRUE(file.ok());
    const std::vector<uint8_t> bytes(100000, 7);
    ASSERT_TRUE(file->Write(bytes).ok());
    EXPECT_FALSE(std::filesystem::exists(folder.Path("out")));
    EXPECT_EQ(folder.Entries(), 1u);
  }
  EXPECT_EQ(folder.Entries(), 0u);
}

TEST(WriteFile, ModeFollowsTheUmaskOrTheFileThatIsReplaced) {
  TempFolder folder;
  const mode_t before = umask(027);
  ASSERT_TRUE(WriteFileAtomically(folder.Path("new"), "x").ok());
  umask(before);
  struct stat info {};
  ASSERT_EQ(stat(folder.Path("new").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0640u);
  ASSERT_EQ(chmod(folder.Path("new").c_str(), 0604), 0);
  ASSERT_TRUE(WriteFileAtomically(folder.Path("new"), "y", {.force = true}).ok());
  ASSERT_EQ(stat(folder.Path("new").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0604u);
}

TEST(WriteFile, ALinkIsReplacedAndItsTargetLeftAlone) {
  TempFolder folder;
  Put(folder.Path("target"), "precious");
  ASSERT_EQ(symlink("target", folder.Path("link").c_str()), 0);
  ExpectError(WriteFileAtomically(folder.Path("link"), "x").error(), ErrorCode::kExists, {"link"});
  ASSERT_TRUE(WriteFileAtomically(folder.Path("link"), "x", {.force = true}).ok());
  EXPECT_EQ(Slurp(folder.Path("target")), "precious");
  EXPECT_EQ(Slurp(folder.Path("link")), "x");
  EXPECT_FALSE(std::filesystem::is_symlink(folder.Path("link")));
  ASSERT_EQ(symlink("nowhere", folder.Path("dangling").c_str()), 0);
  ExpectError(WriteFileAtomically(folder.Path("dangling"), "x").error(), ErrorCode::kExists, {"dangling"});
}

TEST(WriteFile, NamesWhatIsWrong) {
  TempFolder folder;
  ExpectError(WriteFileAtomically(folder.Path("no/out"), "x").error(), ErrorCode::kOutput,
              {folder.Path("no/out"), "No such file", "make the folder"});
  ExpectError(WriteFileAtomically(folder.path(), "x").error(), ErrorCode::kOutput, {"is a folder"});
  ExpectError(WriteFileAtomically(folder.path(), "x", {.force = true}).error(), ErrorCode::kOutput,
              {"is a folder"});
  ExpectError(WriteFileAtomically(folder.path() + "/", "x").error(), ErrorCode::kOutput, {"is a folder"});
  ExpectError(WriteFileAtomically("", "x").error(), ErrorCode::kOutput, {"name a file"});
  Put(folder.Path("file"), "");
  ExpectError(WriteFileAtomically(folder.Path("file/out"), "x").error(), ErrorCode::kOutput,
              {"Not a directory"});
  ExpectError(WriteFileAtomically(folder.Path(std::string(300, 'n')), "x").error(), ErrorCode::kOutput,
              {"File name too long"});
  // A folder of the kernel's that nobody may write to, whoever runs the test.
  ExpectError(WriteFileAtomically("/proc/self/out.vqc", "x").error(), ErrorCode::kOutput,
              {"/proc/self/out.vqc"});
  EXPECT_EQ(folder.Entries(), 1u);
}

TEST(WriteFile, DevicesAndPipesAreWrittenDirectly) {
  ASSERT_TRUE(WriteFileAtomically("/dev/null", "x").ok());
  struct stat info {};
  ASSERT_EQ(stat("/dev/null", &info), 0);
  EXPECT_TRUE(S_ISCHR(info.st_mode));
  ExpectError(WriteFileAtomically("/dev/full", "x").error(), ErrorCode::kOutput,
              {"/dev/full", "No space left on device", "free some space"});
}

TEST(WriteFile, DashIsStandardOutputAndAFullOneIsAnError) {
  const int saved = dup(STDOUT_FILENO);
  const int full = open("/dev/full", O_WRONLY);
  ASSERT_GE(full, 0);
  fflush(stdout);
  dup2(full, STDOUT_FILENO);
  const Status status = WriteFileAtomically("-", "x");
  dup2(saved, STDOUT_FILENO);
  close(saved);
  close(full);
  ASSERT_FALSE(status.ok());
  ExpectError(status.error(), ErrorCode::kOutput, {"standard output", "No space left"});
}

TEST(WriteFile, AFailedWriteLeavesNothing) {
  TempFolder folder;
  // In a child, since the size limit of a process holds for all its files.
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{.rlim_cur = 1000, .rlim_max = 1000};
    setrlimit(RLIMIT_FSIZE, &limit);
    const Status status = WriteFileAtomically(folder.Path("out"), std::string(5000, 'x'));
    _exit(!status.ok() && status.error().code == ErrorCode::kOutput &&
                  status.error().message.find("File too large") != std::string::npos
              ? 0
              : 1);
  }
  int result = 0;
  waitpid(child, &result, 0);
  EXPECT_TRUE(WIFEXITED(result) && WEXITSTATUS(result) == 0);
  EXPECT_EQ(folder.Entries(), 0u);
}

TEST(WriteFile, ASignalHandlerCanRemoveTheTemporaries) {
  TempFolder folder;
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    signal(SIGTERM, [](int) {
      RemoveTemporaryFiles();
      _exit(42);
    });
    auto done = OutputFile::Create(folder.Path("done"));
    if (!done.ok() || !done->Commit().ok()) _exit(1);
    auto a = OutputFile::Create(folder.Path("a"));
    auto b = OutputFile::Create(folder.Path("b"));
    if (!a.ok() || !b.ok() || write(ready[1], "x", 1) != 1) _exit(1);
    for (;;) pause();
  }
  char byte;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  EXPECT_EQ(folder.Entries(), 3u);
  kill(child, SIGTERM);
  int result = 0;
  waitpid(child, &result, 0);
  EXPECT_TRUE(WIFEXITED(result) && WEXITSTATUS(result) == 42);
  EXPECT_EQ(folder.Entries(), 1u);
  EXPECT_TRUE(std::filesystem::exists(folder.Path("done")));
  close(ready[0]);
  close(ready[1]);
}

TEST(WriteFile, ThreadsDoNotMeet) {
  TempFolder folder;
  std::vector<std::thread> threads;
  std::atomic<int> won{0};
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        const std::string name = std::to_string(t) + "-" + std::to_string(i);
        EXPECT_TRUE(WriteFileAtomically(folder.Path(name), name).ok());
      }
      won += WriteFileAtomically(folder.Path("shared"), std::to_string(t)).ok();
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(won, 1);
  EXPECT_EQ(folder.Entries(), 161u);
}

TEST(Printable, ControlCharactersAreSpelledOut) {
  EXPECT_EQ(Printable("a\nb\x1B[31mc\x7F"), "a\\x0ab\\x1b[31mc\\x7f");
  EXPECT_EQ(Printable("näme"), "näme");
  EXPECT_EQ(Printable("abcdef", 3), "abc...");
}

}  // namespace
}  // namespace vqc
