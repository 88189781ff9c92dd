// SPDX-License-Identifier: Apache-2.0
#include "data/tokens/source.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "data/tokens/patterns.h"
#include "tests/base/temp_folder.h"

namespace vqc {
namespace {

using Names = std::vector<std::string>;

TEST(Patterns, BracesAreRangesAndLists) {
  EXPECT_EQ(*ExpandPattern("no-a{08..11}.tar"),
            (Names{"no-a08.tar", "no-a09.tar", "no-a10.tar", "no-a11.tar"}));
  EXPECT_EQ(*ExpandPattern("no-{x,y}{1..2}"), (Names{"no-x1", "no-x2", "no-y1", "no-y2"}));
  EXPECT_EQ(*ExpandPattern("no-{plain}"), (Names{"no-{plain}"}));
  EXPECT_EQ(*ExpandPattern("no-{3..1}"), (Names{"no-{3..1}"}));
  EXPECT_EQ(*ExpandPattern("no-{"), (Names{"no-{"}));
  EXPECT_FALSE(ExpandPattern("no-{0..9999}{0..9999}").ok());
}

TEST(Sources, KeysAreUniqueAndOrderIsThatOfTheSources) {
  const testing::TempFolder folder;
  for (const char* name : {"x.pic", "a.b.pic", "a_b.pic", "a.b.txt", "notes.txt"}) {
    ASSERT_TRUE(WriteFileAtomically(folder.Path(name), std::string_view(name)).ok());
  }
  SourceOptions options;
  options.paths = {folder.Path("x.pic"), folder.Path("."), folder.Path("x.pic"), folder.Path("gone.pic")};
  options.is_media = [](std::string_view extension) { return extension == ".pic"; };
  const auto items = FindItems(options);
  ASSERT_TRUE(items.ok()) << items.error().message;
  Names keys, names;
  for (const SourceItem& item : *items) {
    keys.push_back(item.key.substr(item.key.rfind('/') + 1));
    names.push_back(item.name.substr(item.name.rfind('/') + 1));
  }
  EXPECT_EQ(names, (Names{"x.pic", "a.b.pic", "a_b.pic", "x.pic", "x.pic", "gone.pic"}));
  EXPECT_EQ(keys, (Names{"x", "a_b", "a_b-2", "x", "x-2", "gone"}));
  ASSERT_EQ((*items)[1].sidecars.size(), 1u);
  EXPECT_EQ((*items)[1].sidecars[0].extension, "txt");
  EXPECT_EQ(ReadExtent((*items)[1].media, "m", 100)->size(), 7u);
  EXPECT_EQ(ReadExtent((*items)[1].media, "m", 6).error().code, ErrorCode::kLimit);
  EXPECT_EQ(ReadExtent((*items)[5].media, "m", 100).error().code, ErrorCode::kInput);
  auto shorter = *items;
  shorter[0].media.size = 4;
  EXPECT_NE(IdentityOf(shorter), IdentityOf(*items));
  options.paths = {folder.Path("no-folder")};
  options.files_from = folder.Path("no-list");
  EXPECT_FALSE(FindItems(options).ok());
}

}  // namespace
}  // namespace vqc
