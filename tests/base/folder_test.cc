// SPDX-License-Identifier: Apache-2.0
#include "base/folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/base/temp_folder.h"

namespace vqc {
namespace {

using testing::Put;
using testing::TempFolder;
using Names = std::vector<std::string>;

TEST(NamesInFolder, AreSortedAndHoldHiddenOnesAndFolders) {
  TempFolder folder;
  EXPECT_EQ(*NamesInFolder(folder.path()), Names());
  for (const char* name : {"b", "a/inside", ".hidden", "B"}) Put(folder.Path(name), "");
  EXPECT_EQ(*NamesInFolder(folder.path()), (Names{".hidden", "B", "a", "b"}));
}

TEST(NamesInFolder, RefusesWhatIsNoFolder) {
  TempFolder folder;
  Put(folder.Path("file"), "");
  for (const char* name : {"file", "missing"}) {
    const auto names = NamesInFolder(folder.Path(name));
    ASSERT_FALSE(names.ok());
    EXPECT_EQ(names.error().code, ErrorCode::kInput);
    EXPECT_NE(names.error().message.find(std::string(name) + ": the folder cannot be read: "),
              std::string::npos)
        << names.error().message;
  }
}

TEST(FilesBelow, FollowsLinksToFilesOnly) {
  TempFolder folder;
  for (const char* name : {"b/2", "b/1", "a", "b/c/deep", "left/out"}) Put(folder.Path(name), "");
  ASSERT_EQ(symlink("a", folder.Path("link").c_str()), 0);
  ASSERT_EQ(symlink("..", folder.Path("b/loop").c_str()), 0);
  ASSERT_EQ(symlink("nowhere", folder.Path("dangling").c_str()), 0);
  ASSERT_EQ(mkfifo(folder.Path("pipe").c_str(), 0600), 0);
  const auto left_out = [](const std::string& path) { return path.ends_with("/left"); };
  Names expected;
  for (const char* name : {"a", "b/1", "b/2", "b/c/deep", "link"}) expected.push_back(folder.Path(name));
  EXPECT_EQ(*FilesBelow(folder.path(), left_out), expected);
  EXPECT_EQ(*FilesBelow(folder.path() + "/", left_out), expected);
  EXPECT_EQ(FilesBelow(folder.path())->size(), expected.size() + 1);
}

TEST(FilesBelow, RefusesWhatCannotBeListed) {
  TempFolder folder;
  Put(folder.Path("inside/file"), "");
  EXPECT_EQ(FilesBelow(folder.Path("missing")).error().code, ErrorCode::kInput);
  if (geteuid() == 0) return;  // root may list every folder
  ASSERT_EQ(chmod(folder.Path("inside").c_str(), 0), 0);
  const auto files = FilesBelow(folder.path());
  ASSERT_EQ(chmod(folder.Path("inside").c_str(), 0700), 0);
  ASSERT_FALSE(files.ok());
  EXPECT_NE(files.error().message.find("inside"), std::string::npos) << files.error().message;
}

}  // namespace
}  // namespace vqc
