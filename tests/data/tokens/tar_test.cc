// SPDX-License-Identifier: Apache-2.0
#include "data/tokens/tar.h"

#include <gtest/gtest.h>

namespace vqc {
namespace {

std::vector<uint8_t> Archive(const std::vector<std::pair<std::string, std::string>>& members) {
  std::string tar;
  for (const auto& [name, content] : members) {
    tar += TarHeader(name, content.size()) + content;
    tar.resize((tar.size() + 511) / 512 * 512, '\0');
  }
  tar += TarEnd(tar.size());
  return {tar.begin(), tar.end()};
}

TEST(Tar, ReadsWhatItWrites) {
  std::vector<std::pair<std::string, std::string>> members = {{"a.txt", "one"}, {"dir/empty", ""}};
  // Names of every length about those where another form of header begins, with and without folders.
  for (const size_t length : {1, 99, 100, 101, 155, 156, 255, 256, 257, 300}) {
    members.emplace_back(std::string(length, 'x'), std::to_string(length));
    for (const size_t slash : {1, 50, 100, 154, 155, 156, 200}) {
      if (slash + 1 >= length) continue;
      std::string name(length, 'y');
      name[slash] = '/';
      members.emplace_back(name, std::string(length, 'z'));
    }
  }
  const auto archive = Archive(members);
  EXPECT_EQ(archive.size() % 10240, 0u);
  const auto read = TarMembers(archive, "a.tar");
  ASSERT_TRUE(read.ok()) << read.error().message;
  ASSERT_EQ(read->size(), members.size());
  for (size_t i = 0; i < members.size(); ++i) {
    const TarMember& member = (*read)[i];
    EXPECT_EQ(member.name, members[i].first);
    EXPECT_EQ(std::string(archive.begin() + static_cast<ptrdiff_t>(member.offset),
                          archive.begin() + static_cast<ptrdiff_t>(member.offset + member.size)),
              members[i].second);
  }
}

TEST(Tar, EmptyOneHasNoMembers) {
  const auto read = TarMembers(Archive({}), "a.tar");
  ASSERT_TRUE(read.ok());
  EXPECT_TRUE(read->empty());
}

TEST(Tar, DamageIsAnError) {
  const auto archive = Archive({{"a.txt", "one"}, {std::string(120, 'n'), std::string(700, 'c')}});
  constexpr size_t kEnd =
      512 + 512 + 1024 + 512 + 1024;  // where the zeros begin: a.txt, a pax header, the long name
  EXPECT_TRUE(TarMembers(std::span(archive).first(kEnd + 512), "a.tar").ok());
  for (size_t size = 0; size < kEnd + 512; ++size) {
    EXPECT_FALSE(TarMembers(std::span(archive).first(size), "a.tar").ok()) << size;
  }
  for (const size_t header : {0, 1024, 2048}) {
    for (size_t i = 0; i < 500; ++i) {
      if (i == 155) continue;  // fills up the field of the checksum
      auto damaged = archive;
      damaged[header + i] ^= 1;
      EXPECT_FALSE(TarMembers(damaged, "a.tar").ok()) << header << " " << i;
    }
  }
  auto longer = archive;
  longer[124] = '7';
  EXPECT_FALSE(TarMembers(longer, "a.tar").ok());
}

TEST(Tar, KeysEndAtTheFirstDotOfTheLastPart) {
  using Pair = std::pair<std::string_view, std::string_view>;
  EXPECT_EQ(SplitKey("a/b.c/d.e.f"), Pair("a/b.c/d", "e.f"));
  EXPECT_EQ(SplitKey("plain"), Pair("plain", ""));
  EXPECT_EQ(SplitKey("x.json"), Pair("x", "json"));
}

}  // namespace
}  // namespace vqc
