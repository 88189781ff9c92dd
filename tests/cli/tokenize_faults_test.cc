// SPDX-License-Identifier: Apache-2.0
// vqcodec tokenize when the machine fails: killed before every system call of the writer, and every one of
// them failing. VQC_FULL=1 goes through all of them; otherwise through some.
#include <errno.h>
#include <signal.h>

#include <cstdlib>
#include <map>

#include "tests/cli/cli_test_base.h"

namespace vqc {
namespace {

namespace fs = std::filesystem;

class TokenizeFaultsTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    for (int i = 0; i < 5; ++i) Write("in/p" + std::to_string(i) + ".ppm", Ppm(16, 16, i));
    Write("in/p1.txt", "one");
    full_ = std::getenv("VQC_FULL") != nullptr;
  }

  Ran Tokenize(const std::string& format, const std::string& output, int at = 0,
               const std::string& fault = "") {
    How how;
    if (!fault.empty()) {
      // The second is for builds with AddressSanitizer, which wants to be the first library itself.
      how.environment = {"LD_PRELOAD=" VQC_FAULT_SHIM,
                         "ASAN_OPTIONS=verify_asan_link_order=0",
                         "VQC_FAULT_FOLDER=" + Path(output),
                         "VQC_FAULT_AT=" + std::to_string(at),
                         "VQC_FAULT=" + fault,
                         "VQC_FAULT_COUNT=" + (folder_.parent_path() / "calls").string()};
    }
    return Run(
        {"tokenize", "in", "-o", Path(output), "--shard-size", "2", "-q", "-j", "1", "--format", format},
        how);
  }

  // System calls of a whole run.
  int CallsOf(const std::string& format) {
    EXPECT_EQ(Tokenize(format, "counted", 0, "kill").exit_code, 0);
    const int calls = std::atoi(Read("../calls").c_str());
    fs::remove_all(Path("counted"));
    return calls;
  }

  // Whatever has a shard's name is whole, and the same command completes the set.
  void ExpectGoesOn(const std::string& format, const std::map<std::string, std::string>& expected,
                    const std::string& where) {
    for (const auto& [name, bytes] : Contents("out")) {
      EXPECT_TRUE(!expected.contains(name) || bytes == expected.at(name)) << where << " " << name;
    }
    const Ran again = Tokenize(format, "out");
    ASSERT_EQ(again.exit_code, 0) << where << ": " << again.err;
    ASSERT_TRUE(Contents("out") == expected) << where;
    fs::remove_all(Path("out"));
  }

  bool full_ = false;
};

TEST_F(TokenizeFaultsTest, KilledBeforeAnySystemCallItGoesOn) {
  std::vector<std::string> formats = {"webdataset", "megatron"};
  if (full_) formats.insert(formats.end(), {"npy", "safetensors", "jsonl", "litdata", "mds", "parquet"});
  for (const std::string& format : formats) {
    ASSERT_EQ(Tokenize(format, "whole").exit_code, 0);
    const auto expected = Contents("whole");
    fs::remove_all(Path("whole"));
    const int calls = CallsOf(format);
    ASSERT_GT(calls, 40);
    for (int at = 1; at <= calls; at += full_ ? 1 : 7) {
      const std::string where = format + " killed before call " + std::to_string(at);
      EXPECT_EQ(Tokenize(format, "out", at, "kill").exit_code, 128 + SIGKILL) << where;
      ExpectGoesOn(format, expected, where);
      if (HasFatalFailure()) return;
    }
  }
}

TEST_F(TokenizeFaultsTest, EveryFailedCallIsAnErrorOrHarmless) {
  const std::map<std::string, std::string> faults = {{"short", ""},
                                                     {std::to_string(EINTR), ""},
                                                     {std::to_string(ENOSPC), "No space left on device"},
                                                     {std::to_string(EIO), "Input/output error"},
                                                     {std::to_string(EDQUOT), "Disk quota exceeded"}};
  int points = 0, errors = 0;
  for (const std::string format : {"webdataset", "megatron"}) {
    ASSERT_EQ(Tokenize(format, "whole").exit_code, 0);
    const auto expected = Contents("whole");
    fs::remove_all(Path("whole"));
    const int calls = CallsOf(format);
    for (const auto& [fault, text] : faults) {
      for (int at = 1; at <= calls; at += full_ ? 1 : 23) {
        const std::string where = format + " fault " + fault + " at call " + std::to_string(at);
        const Ran ran = Tokenize(format, "out", at, fault);
        ++points;
        if (ran.exit_code == 0) {  // a call that may fail, or be repeated: nothing is missing then
          const auto found = Contents("out");
          for (const auto& [name, bytes] : expected) {
            ASSERT_TRUE(found.contains(name) && found.at(name) == bytes) << where << " " << name;
          }
        } else {
          ++errors;
          EXPECT_TRUE(ran.IsOneLineError()) << where << ": " << ran.err;
          EXPECT_TRUE(ran.exit_code == 2 || ran.exit_code == 3) << where << ": " << ran.exit_code << ran.err;
          EXPECT_NE(ran.err.find(Path("out")), std::string::npos) << where << ": " << ran.err;
          EXPECT_NE(ran.err.find(text), std::string::npos) << where << ": " << ran.err;
        }
        ExpectGoesOn(format, expected, where);
        if (HasFatalFailure()) return;
      }
    }
  }
  EXPECT_GT(errors, points / 5);
}

}  // namespace
}  // namespace vqc
