// SPDX-License-Identifier: Apache-2.0
#include "data/tokens/journal.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace vqc
