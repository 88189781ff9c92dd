// SPDX-License-Identifier: Apache-2.0
#include "data/tokens/read_set.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "tests/base/temp_folder.h"

namespace vqc {
namespace {

TokenSet ForgedSet() {
  TokenSet set;
  set.format = "jsonl";
  set.model = "m";
  set.layout = {Modality::kImage, {8}};
  set.items = 1ull << 40;
  return set;
}

TEST(FindShards, AreThoseThatAreThereHoweverManyThePlanTellsOf) {
  const testing::TempFolder folder;
  testing::Put(folder.Path(kPlanFile), ForgedSet().ToJson().dump());
  for (const char* name : {"000007.jsonl", "1099511627775.jsonl", "1099511627776.jsonl", "00003.jsonl",
                           "0000001.jsonl", "000005.tar", "-00005.jsonl", ".jsonl", "000000.jsonl"})
    testing::Put(folder.Path(name), "");
  const auto shards = FindShards({folder.path()});
  ASSERT_TRUE(shards.ok()) << shards.error().message;
  ASSERT_EQ(shards->size(), 3u);
  EXPECT_EQ((*shards)[0].Name(), folder.Path("000000.jsonl"));
  EXPECT_EQ((*shards)[1].Name(), folder.Path("000007.jsonl"));
  EXPECT_EQ((*shards)[2].Name(), folder.Path("1099511627775.jsonl"));
}

TEST(ShardRecord, NamesNoFileOutsideOfItsFolder) {
  for (const char* name : {"a.tar", "", "../a.tar", "/etc/passwd"}) {
    const ShardRecord record{0, 1, 1, {{name, 1, {}}}, {}};
    EXPECT_EQ(ShardRecordOf(record.ToJson()).ok(), std::string_view(name) == "a.tar") << name;
  }
}

}  // namespace
}  // namespace vqc
