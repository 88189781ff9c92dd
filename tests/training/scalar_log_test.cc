// SPDX-License-Identifier: Apache-2.0
#include "training/scalar_log.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/base/temp_folder.h"

namespace vqc {
namespace {

std::string Hex(const std::vector<uint8_t>& bytes) {
  std::string text;
  for (const uint8_t byte : bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    text += {kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return text;
}

// What tensorboard 2.20 writes for Event(wall_time=1.5, ...), by tensorboard.summary.writer.record_writer.
TEST(ScalarLog, WritesRecordsAsTensorBoardDoes) {
  EXPECT_EQ(Hex(EventRecord(VersionEvent(1.5))),
            "1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c");
  const std::vector<std::string> names = {"loss", "usage"};
  const std::vector<double> values = {0.25, 1};
  EXPECT_EQ(Hex(EventRecord(ScalarEvent(1.5, 300, names, values))),
            "290000000000000037ff5f0009000000000000f83f10ac022a1b0a0b0a046c6f7373150000803e0a0c0a057573616765"
            "150000803f8d08610f");
}

TEST(ScalarLog, AppendsRowsAndBeginsAnEventFile) {
  const testing::TempFolder folder;
  const auto csv = folder.Path("log.csv"), events = folder.Path("runs/a");
  for (int run = 0; run < 2; ++run) {
    auto log = ScalarLog::Open(csv, events, {"loss", "usage"});
    ASSERT_TRUE(log.ok()) << log.error().message;
    const std::vector<double> values = {0.125, 0.5 + run};
    ASSERT_TRUE(log->Write(10 + run, values).ok());
  }
  EXPECT_EQ(testing::Slurp(csv), "step,loss,usage\n10,0.125,0.5\n11,0.125,1.5\n");
  size_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(events)) {
    EXPECT_EQ(entry.path().filename().string().rfind("events.out.tfevents.", 0), 0u);
    bytes += entry.file_size();
  }
  const std::vector<std::string> names = {"loss", "usage"};
  const std::vector<double> values = {0.125, 0.5};
  EXPECT_EQ(bytes, 2 * (EventRecord(VersionEvent(1)).size() +
                        EventRecord(ScalarEvent(1, 10, names, values)).size()));
}

TEST(ScalarLog, SaysWhereItCannotWrite) {
  const testing::TempFolder folder;
  testing::Put(folder.Path("file"), "x");
  const auto log = ScalarLog::Open(folder.Path("file/log.csv"), "", {"loss"});
  ASSERT_FALSE(log.ok());
  EXPECT_EQ(log.error().code, ErrorCode::kOutput);
  EXPECT_NE(log.error().message.find("log.csv"), std::string::npos);
  EXPECT_FALSE(ScalarLog::Open("", folder.Path("file/runs"), {"loss"}).ok());
}

}  // namespace
}  // namespace vqc
