// SPDX-License-Identifier: Apache-2.0
#include "data/actions/episodes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/npy.h"
#include "models/write_bundle.h"

namespace vqc {
namespace {

class Episodes : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("vqc_episodes_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& bytes) const {
    const std::string path = (folder_ / name).string();
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  std::string MessageOf(const std::string& path) const {
    const auto episodes = ReadEpisodes(path);
    return episodes.ok() ? "none" : episodes.error().message;
  }

  std::filesystem::path folder_;
};

template <class Number>
std::string Npy(const std::string& descr, const std::vector<uint64_t>& shape,
                const std::vector<Number>& values) {
  return NpyHeaderOf(descr, shape) +
         std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(Number));
}

std::string Fixed(uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i));
  return text;
}

// A ZIP archive of one file, as numpy.savez writes it; `method` 0 is stored. The directory names it `entries`
// times.
std::string Zip(const std::string& name, const std::string& data, uint16_t method,
                const std::string& extra = "", int entries = 1) {
  const std::string sizes =
      Fixed(0, 4) + Fixed(data.size(), 4) + Fixed(data.size(), 4) + Fixed(name.size(), 2);
  const std::string local = Fixed(0x04034B50, 4) + Fixed(20, 2) + Fixed(0, 2) + Fixed(method, 2) +
                            Fixed(0, 4) + sizes + Fixed(0, 2) + name + data;
  const std::string entry = Fixed(0x02014B50, 4) + Fixed(20, 2) + Fixed(20, 2) + Fixed(0, 2) +
                            Fixed(method, 2) + Fixed(0, 4) + sizes + Fixed(extra.size(), 2) + Fixed(0, 2) +
                            Fixed(0, 2) + Fixed(0, 2) + Fixed(0, 4) + Fixed(0, 4) + name + extra;
  std::string central;
  for (int i = 0; i < entries; ++i) central += entry;
  return local + central + Fixed(0x06054B50, 4) + Fixed(0, 4) + Fixed(entries, 2) + Fixed(entries, 2) +
         Fixed(central.size(), 4) + Fixed(local.size(), 4) + Fixed(0, 2);
}

TEST_F(Episodes, AreReadFromNpy) {
  const auto one = ReadEpisodes(Write("one.npy", Npy<float>("<f4", {3, 2}, {1, 2, 3, 4, 5, 6})));
  ASSERT_TRUE(one.ok()) << one.error().message;
  ASSERT_EQ(one->size(), 1u);
  EXPECT_EQ(one->front().steps, 3);
  EXPECT_EQ(one->front().values, (std::vector<float>{1, 2, 3, 4, 5, 6}));
  const auto two = ReadEpisodes(Write("two.npy", Npy<double>("<f8", {2, 1, 2}, {1, 2, 3, 4})));
  ASSERT_TRUE(two.ok()) << two.error().message;
  ASSERT_EQ(two->size(), 2u);
  EXPECT_EQ((*two)[1].name, "1");
  EXPECT_EQ((*two)[1].values, (std::vector<float>{3, 4}));
  const auto all = ReadEpisodesUnder(folder_.string());
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(all->size(), 3u);
}

TEST_F(Episodes, AreReadFromNpz) {
  const std::string npy = Npy<float>("<f4", {2, 2}, {1, 2, 3, 4});
  const std::string path = Write("a.npz", Zip("episode_7.npy", npy, 0));
  const auto episodes = ReadEpisodes(path);
  ASSERT_TRUE(episodes.ok()) << episodes.error().message;
  EXPECT_EQ(episodes->front().name, "episode_7");
  EXPECT_EQ(episodes->front().values, (std::vector<float>{1, 2, 3, 4}));
  EXPECT_NE(MessageOf(Write("b.npz", Zip("x.npy", npy, 8))).find("is compressed"), std::string::npos);
  const std::string whole = Zip("x.npy", npy, 0);
  for (size_t size = 4; size < whole.size(); ++size)
    EXPECT_NE(MessageOf(Write("c.npz", whole.substr(0, size))), "none");
}

TEST_F(Episodes, OfAForgedNpzEndAndStaySmall) {
  const std::string npy = Npy<float>("<f4", {2, 2}, {1, 2, 3, 4});
  // An extra field that runs past its end.
  EXPECT_EQ(MessageOf(Write("cut.npz", Zip("x.npy", npy, 0, Fixed(9, 2) + Fixed(0xFFFF, 2)))), "none");
  // The same bytes as many arrays.
  EXPECT_NE(MessageOf(Write("bomb.npz", Zip("x.npy", npy, 0, "", 60000))).find("damaged"), std::string::npos);
}

TEST_F(Episodes, AreReadFromSafetensors) {
  const std::vector<float> values = {1, 2, 3, 4};
  const auto bytes = WriteSafeTensors(
      {{"ep", {DType::kF32, {2, 2}, {reinterpret_cast<const uint8_t*>(values.data()), 16}}}}, {});
  ASSERT_TRUE(bytes.ok());
  const auto episodes = ReadEpisodes(Write("a.safetensors", std::string(bytes->begin(), bytes->end())));
  ASSERT_TRUE(episodes.ok()) << episodes.error().message;
  EXPECT_EQ(episodes->front().values, values);
}

TEST_F(Episodes, AreRefusedWithAReason) {
  EXPECT_NE(MessageOf(Write("nan.npy", Npy<float>("<f4", {2, 2}, {1, 2, std::nanf(""), 4})))
                .find("not finite at step 1, dimension 0"),
            std::string::npos);
  EXPECT_NE(MessageOf(Write("empty.npy", Npy<float>("<f4", {0, 2}, {}))).find("is empty"), std::string::npos);
  EXPECT_NE(MessageOf(Write("flat.npy", Npy<float>("<f4", {4}, {1, 2, 3, 4}))).find("has the shape [4]"),
            std::string::npos);
  EXPECT_NE(MessageOf(Write("int.npy", Npy<int32_t>("<i4", {2, 2}, {1, 2, 3, 4}))).find("'<i4'"),
            std::string::npos);
  EXPECT_NE(MessageOf(Write("short.npy", Npy<float>("<f4", {2, 2}, {1, 2, 3}))).find("cut off"),
            std::string::npos);
  EXPECT_NE(MessageOf(Write("wide.npy", Npy<float>("<f4", {1, 256}, std::vector<float>(256))))
                .find("1 to 255 dimensions"),
            std::string::npos);
  EXPECT_NE(MessageOf(Write("a.parquet", "PAR1")).find("cut off or damaged"), std::string::npos);
  EXPECT_NE(MessageOf(Write("a.txt", "x, y\n")).find("no actions of a known kind"), std::string::npos);
  EXPECT_NE(MessageOf((folder_ / "nowhere.npy").string()), "none");
}

TEST_F(Episodes, WithFaultsDoNotHideTheOthers) {
  const auto episodes =
      ReadEpisodesAndFaults(Write("nan.npy", Npy<float>("<f4", {3, 1, 2}, {1, 2, std::nanf(""), 4, 5, 6})));
  ASSERT_TRUE(episodes.ok()) << episodes.error().message;
  ASSERT_EQ(episodes->size(), 3u);
  EXPECT_FALSE((*episodes)[0].fault);
  ASSERT_TRUE((*episodes)[1].fault);
  EXPECT_NE((*episodes)[1].fault->message.find("array 1 holds a value that is not finite"),
            std::string::npos);
  EXPECT_EQ((*episodes)[2].values, (std::vector<float>{5, 6}));
}

// The file is by tests/oracle/hdf5_episodes.py.
TEST_F(Episodes, AreReadFromHdf5) {
  const std::string path = VQC_SOURCE_DIR "/tests/golden/actions/episodes.h5";
  const auto episodes = ReadEpisodesAndFaults(path);
  if (!episodes.ok() && episodes.error().code == ErrorCode::kResource) GTEST_SKIP() << "built without HDF5";
  ASSERT_TRUE(episodes.ok()) << episodes.error().message;
  ASSERT_EQ(episodes->size(), 3u);
  const int steps[] = {4, 9};
  for (int k = 0; k < 2; ++k) {
    const Episode& episode = (*episodes)[static_cast<size_t>(k)];
    EXPECT_EQ(episode.name, k ? "data/demo_1/actions" : "action");
    ASSERT_EQ(episode.steps, steps[k]);
    ASSERT_EQ(episode.dims, 3);
    for (int i = 0; i < 3 * steps[k]; ++i) {
      const float expected =
          static_cast<float>(k) + static_cast<float>(i / 3) / 64 + 1000 * static_cast<float>(i % 3);
      EXPECT_EQ(episode.values[static_cast<size_t>(i)], expected) << k << " " << i;
    }
  }
  ASSERT_TRUE((*episodes)[2].fault);
  EXPECT_NE(
      MessageOf(path).find("data/demo_2/actions holds a value that is not finite at step 3, dimension 1"),
      std::string::npos);
  std::ifstream file(path, std::ios::binary);
  const std::string whole(std::istreambuf_iterator<char>(file), {});
  for (size_t size = 8; size < whole.size(); size += 97)
    EXPECT_NE(MessageOf(Write("cut.h5", whole.substr(0, size))), "none") << size;
}

TEST(LooksLikeEpisodes, TellsNarrowArraysOfFloatsFromPictures) {
  const auto looks = [](const std::string& bytes) {
    return LooksLikeEpisodes({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
  };
  EXPECT_TRUE(looks(NpyHeaderOf("<f4", {100, 7})));
  EXPECT_TRUE(looks(NpyHeaderOf("<f8", {100, 31})));
  EXPECT_FALSE(looks(NpyHeaderOf("<f4", {100, 32})));
  EXPECT_FALSE(looks(NpyHeaderOf("<f4", {100, 7, 3})));
  EXPECT_FALSE(looks(NpyHeaderOf("|u1", {100, 7})));
  EXPECT_TRUE(looks("PK\x03\x04"));
  EXPECT_TRUE(looks("PAR1"));
  EXPECT_FALSE(looks("P6\n1 1\n255\n"));
}

}  // namespace
}  // namespace vqc
