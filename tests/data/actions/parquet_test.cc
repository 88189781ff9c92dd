// SPDX-License-Identifier: Apache-2.0
// Parquet as pyarrow writes it; the files are by tests/oracle/lerobot.py.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <span>

#include "base/file.h"
#include "base/thrift_compact.h"
#include "data/actions/episodes.h"
#include "tests/base/temp_folder.h"

namespace vqc {
namespace {

constexpr char kFolder[] = VQC_SOURCE_DIR "/tests/golden/actions/lerobot-";

std::string MessageOf(const Result<std::vector<Episode>>& episodes) {
  return episodes.ok() ? "none" : episodes.error().message;
}

void ExpectEpisode(const Episode& episode, int number, int steps) {
  EXPECT_EQ(episode.name, "episode_00000" + std::to_string(number));
  ASSERT_EQ(episode.steps, steps);
  ASSERT_EQ(episode.dims, 3);
  for (int f = 0; f < steps; ++f) {
    for (int d = 0; d < 3; ++d) {
      const float expected =
          static_cast<float>(number) + static_cast<float>(f) / 64 + 1000 * static_cast<float>(d);
      EXPECT_EQ(episode.values[static_cast<size_t>(3 * f + d)], expected) << number << " " << f << " " << d;
    }
  }
}

TEST(LeRobot, EpisodesComeInTheOrderOfTheirFrames) {
  for (const std::string name : {"one", "plain"}) {
    const auto one = ReadEpisodes(kFolder + name + ".parquet");
    ASSERT_TRUE(one.ok()) << one.error().message;
    ASSERT_EQ(one->size(), 1u);
    ExpectEpisode(one->front(), 7, 40);
  }
  // Pages of the other version, many of them, in two row groups, with zstd.
  const auto two = ReadEpisodes(std::string(kFolder) + "two.parquet");
  ASSERT_TRUE(two.ok()) << two.error().message;
  ASSERT_EQ(two->size(), 2u);
  ExpectEpisode((*two)[0], 3, 30);
  ExpectEpisode((*two)[1], 4, 20);
}

TEST(LeRobot, ADataSetIsItsFolderWithoutMeta) {
  const testing::TempFolder folder;
  for (const char* sub : {"meta", "data"}) std::filesystem::create_directory(folder.Path(sub));
  ASSERT_TRUE(WriteFileAtomically(folder.Path("meta/info.json"), std::string_view("{}")).ok());
  ASSERT_TRUE(WriteFileAtomically(folder.Path("meta/tasks.parquet"), std::string_view("PAR1")).ok());
  std::filesystem::copy(std::string(kFolder) + "one.parquet", folder.Path("data/one.parquet"));
  const auto episodes = ReadEpisodesUnder(folder.Path("."));
  ASSERT_TRUE(episodes.ok()) << episodes.error().message;
  EXPECT_EQ(episodes->size(), 1u);
}

TEST(LeRobot, WhatIsMissingIsNamed) {
  EXPECT_NE(MessageOf(ReadEpisodes(std::string(kFolder) + "missing.parquet"))
                .find("the column action: has no value in row 5"),
            std::string::npos);
  auto bytes = ReadFile(std::string(kFolder) + "one.parquet", 1 << 20);
  ASSERT_TRUE(bytes.ok());
  const std::string name = "episode_index";
  for (auto from = bytes->begin();;) {
    from = std::search(from, bytes->end(), name.begin(), name.end());
    if (from == bytes->end()) break;
    *from = 'E';
  }
  EXPECT_NE(MessageOf(ReadEpisodes("x.parquet", *bytes)).find("no column called episode_index"),
            std::string::npos);
}

TEST(LeRobot, DamageIsAnErrorOrHarmless) {
  for (const std::string name : {"one", "two", "plain"}) {
    const auto whole = ReadFile(kFolder + name + ".parquet", 1 << 20);
    ASSERT_TRUE(whole.ok());
    for (size_t i = 0; i < whole->size(); ++i) {
      auto bytes = *whole;
      bytes.resize(i);
      EXPECT_NE(MessageOf(ReadEpisodes("cut.parquet", bytes)), "none") << name << " cut at " << i;
      bytes = *whole;
      bytes[i] ^= static_cast<uint8_t>(1u << i % 8);
      const auto changed = ReadEpisodes("changed.parquet", bytes);
      EXPECT_EQ(MessageOf(changed).find('\n'), std::string::npos);
      if (!changed.ok()) continue;
      for (const Episode& episode : *changed) {
        for (const float value : episode.values) EXPECT_TRUE(std::isfinite(value));
      }
    }
  }
}

using Bytes = std::vector<uint8_t>;

// A dictionary and a page of one value that a thousand row groups name.
// A column of floats whose 1000 row groups all have the same two pages, and so many values each, as stated.
Bytes SharedPages(int64_t values) {
  constexpr int kFloat = 4, kGroups = 1000, kDictionaryBytes = 1 << 18;
  Bytes file = {'P', 'A', 'R', '1'};
  const auto append = [&](std::span<const uint8_t> bytes) {
    file.insert(file.end(), bytes.begin(), bytes.end());
  };
  const auto add_page = [&](int type, int32_t size) {
    ThriftWriter head;
    head.I32(1, type);
    head.I32(2, size);
    head.I32(3, size);
    if (type == 0) {
      head.BeginStruct(5);
      head.I32(1, 1);
      head.I32(2, 0);
      head.EndStruct();
    }
    head.EndStruct();
    append(head.bytes());
    file.resize(file.size() + static_cast<size_t>(size));
  };
  add_page(2, kDictionaryBytes);
  add_page(0, 4);
  ThriftWriter footer;
  footer.I32(1, 1);
  footer.BeginStructList(2, 2);
  footer.BeginElement();
  footer.Bytes(4, "schema");
  footer.I32(5, 1);
  footer.EndStruct();
  footer.BeginElement();
  footer.I32(1, kFloat);
  footer.Bytes(4, "action");
  footer.EndStruct();
  footer.BeginStructList(4, kGroups);
  for (int i = 0; i < kGroups; ++i) {
    footer.BeginElement();
    footer.BeginStructList(1, 1);
    footer.BeginElement();
    footer.BeginStruct(3);
    footer.I32(1, kFloat);
    footer.I64(5, values);
    footer.I64(9, 4);
    footer.EndStruct();
    footer.EndStruct();
    footer.EndStruct();
  }
  footer.EndStruct();
  append(footer.bytes());
  const size_t size = footer.bytes().size();
  for (int i = 0; i < 4; ++i) file.push_back(static_cast<uint8_t>(size >> (8 * i)));
  file.insert(file.end(), {'P', 'A', 'R', '1'});
  return file;
}

TEST(LeRobot, WorkIsBoundedWhereRowGroupsShareBytes) {
  const Bytes file = SharedPages(1);
  EXPECT_NE(MessageOf(ReadEpisodes("shared.parquet", file)).find("no column called episode_index"),
            std::string::npos);
  Limits limits;
  for (const auto& [values, most, what] :
       {std::tuple<int64_t, uint64_t, std::string>{1, 2 << 20, "4 times the largest input"},
        {1 << 20, 2 << 20, "has 1048576 values or more"},
        {1, 1 << 20, "has a footer that takes up to 1"}}) {
    limits.max_input_bytes = most;
    const auto refused = ReadEpisodes("shared.parquet", SharedPages(values), limits);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::kLimit);
    const std::string message = MessageOf(refused);
    EXPECT_NE(message.find(what), std::string::npos) << message;
    EXPECT_NE(message.find("max_input_bytes is " + std::to_string(most) + ", --max-input-bytes raises it"),
              std::string::npos)
        << message;
  }
}

}  // namespace
}  // namespace vqc
