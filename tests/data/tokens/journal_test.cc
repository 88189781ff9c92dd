// SPDX-License-Identifier: Apache-2.0
#include "data/tokens/journal.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>

#include "base/crc32c.h"
#include "base/file.h"
#include "tests/base/temp_folder.h"

namespace vqc {
namespace {

ShardRecord RecordOfShard(uint64_t shard) {
  return {shard, 3, 90, {{"00.tar", 12, Sha256Of({})}}, {{"k", "a/b\n.png", "cut \"off\""}}};
}

TEST(Journal, LinesUpToTheFirstDamagedOneCount) {
  const testing::TempFolder folder;
  const std::string path = folder.Path("journal-1-of-4.lines");
  {
    auto journal = Journal::Open(folder.Path("."), 1, 4);
    ASSERT_TRUE(journal.ok()) << journal.error().message;
    for (uint64_t shard = 0; shard < 3; ++shard) ASSERT_TRUE(journal->Append(RecordOfShard(shard)).ok());
    EXPECT_FALSE(Journal::Open(folder.Path("."), 1, 4).ok());  // it is in use
    EXPECT_TRUE(Journal::Open(folder.Path("."), 2, 4).ok());
  }
  const auto whole = ReadFile(path, 1 << 20);
  ASSERT_TRUE(whole.ok());
  const auto all = ReadJournals(folder.Path("."));
  ASSERT_TRUE(all.ok());
  ASSERT_EQ(all->size(), 3u);
  EXPECT_EQ((*all)[2].ToJson(), RecordOfShard(2).ToJson());
  const std::string text(whole->begin(), whole->end());
  const size_t line = whole->size() / 3;
  for (size_t size = 0; size <= whole->size(); ++size) {
    testing::Put(path, text.substr(0, size));
    EXPECT_EQ(ReadJournals(folder.Path("."))->size(), size / line) << size;
    if (size % 50 != 7) continue;
    // The cut line goes, and the next one follows what was good.
    auto journal = Journal::Open(folder.Path("."), 1, 4);
    ASSERT_TRUE(journal.ok());
    ASSERT_TRUE(journal->Append(RecordOfShard(7)).ok());
    EXPECT_EQ(ReadJournals(folder.Path("."))->size(), size / line + 1) << size;
  }
  for (size_t i = 0; i < line; ++i) {
    std::string damaged = text;
    damaged[line + i] = static_cast<char>(damaged[line + i] ^ 4);
    testing::Put(path, damaged);
    EXPECT_EQ(ReadJournals(folder.Path("."))->size(), 1u) << i;
  }
  RemoveJournals(folder.Path("."));
  EXPECT_TRUE(ReadJournals(folder.Path("."))->empty());
}

// A line with the right checksum whose record is none.
TEST(Journal, ALineThatIsNoRecordDoesNotCount) {
  const testing::TempFolder folder;
  const std::string path = folder.Path("journal-0-of-1.lines");
  {
    auto journal = Journal::Open(folder.path(), 0, 1);
    ASSERT_TRUE(journal.ok() && journal->Append(RecordOfShard(0)).ok());
  }
  const auto whole = ReadFile(path, 1 << 20);
  const std::string good(whole->begin(), whole->end());
  for (const std::string json :
       {"not json", "{}", "[]", R"({"shard":1,"items":1,"tokens":1,"files":1,"skipped":[]})"}) {
    char sum[9];
    std::snprintf(sum, sizeof sum, "%08x",
                  Crc32c({reinterpret_cast<const uint8_t*>(json.data()), json.size()}));
    testing::Put(path, good + sum + " " + json + "\n" + good);
    EXPECT_EQ(ReadJournals(folder.path())->size(), 1u) << json;
    testing::Put(path, good + sum + "_" + json + "\n");
    EXPECT_EQ(ReadJournals(folder.path())->size(), 1u) << json;
    testing::Put(path, good + "\n" + good);
    EXPECT_EQ(ReadJournals(folder.path())->size(), 1u);
  }
}

TEST(Journal, WhatCannotBeOpenedOrReadIsAnError) {
  const testing::TempFolder folder;
  EXPECT_EQ(Journal::Open(folder.Path("none"), 0, 1).error().code, ErrorCode::kOutput);
  EXPECT_TRUE(ReadJournals(folder.Path("none"))->empty());
  std::filesystem::create_directories(folder.Path("journal-0-of-1.lines"));
  EXPECT_EQ(Journal::Open(folder.path(), 0, 1).error().code, ErrorCode::kOutput);
  EXPECT_EQ(ReadJournals(folder.path()).error().code, ErrorCode::kInput);
  RemoveJournals(folder.path());  // removes no folder
  EXPECT_TRUE(std::filesystem::exists(folder.Path("journal-0-of-1.lines")));
}

// Nothing is written through a link that somebody has put there.
TEST(Journal, IsNotALink) {
  const testing::TempFolder folder;
  testing::Put(folder.Path("other"), "of somebody");
  std::filesystem::create_symlink(folder.Path("other"), folder.Path("journal-0-of-1.lines"));
  EXPECT_EQ(Journal::Open(folder.path(), 0, 1).error().code, ErrorCode::kOutput);
  const auto other = ReadFile(folder.Path("other"), 100);
  EXPECT_EQ(other->size(), 11u);
}

}  // namespace
}  // namespace vqc
