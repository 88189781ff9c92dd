// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "tests/data/media/media_files.h"

namespace vqc {
namespace {

class OpenMediaTest : public testing::Test {
 protected:
  OpenMediaTest() {
    std::string pattern = testing::TempDir() + "/open_media_XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~OpenMediaTest() override { std::filesystem::remove_all(folder_); }

  std::string File(const std::string& name, const std::string& content) {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }

  // Opens and reads; the error of whichever failed.
  static Result<Clip> Take(const std::string& path, const Limits& limits = {}) {
    VQC_ASSIGN(auto reader, OpenMedia(path, limits));
    VQC_ASSIGN(auto clip, reader->Next(1));
    if (!clip) return Error{ErrorCode::kInternal, "no clip"};
    VQC_ASSIGN(auto end, reader->Next(1));
    if (end) return Error{ErrorCode::kInternal, "a second clip"};
    return *std::move(clip);
  }

  static void ExpectRefused(const std::string& path, ErrorCode code, const std::string& says,
                            const Limits& limits = {}) {
    const auto found = Take(path, limits);
    ASSERT_FALSE(found.ok());
    EXPECT_EQ(found.error().code, code) << found.error().message;
    EXPECT_NE(found.error().message.find(path), std::string::npos) << found.error().message;
    EXPECT_NE(found.error().message.find(says), std::string::npos) << found.error().message;
  }

  std::string folder_;
};

constexpr char kPicture[] = "P5\n2 1\n255\nab";

TEST_F(OpenMediaTest, GoesByContentNotByName) {
  const auto clip = Take(File("picture.png", kPicture));
  ASSERT_TRUE(clip.ok()) << clip.error().message;
  EXPECT_EQ(clip->width, 2);
}

TEST_F(OpenMediaTest, ReadsStandardInput) {
  const int before = dup(STDIN_FILENO);
  const int file = open(File("in", kPicture).c_str(), O_RDONLY);
  dup2(file, STDIN_FILENO);
  const auto clip = Take("-");
  dup2(before, STDIN_FILENO);
  close(file);
  close(before);
  ASSERT_TRUE(clip.ok()) << clip.error().message;
  EXPECT_EQ(SampleAt(*clip, 0, 1, 0), 'b');
}

TEST_F(OpenMediaTest, RefusesWithReasons) {
  ExpectRefused(folder_ + "/missing.png", ErrorCode::kInput, "No such file");
  ExpectRefused(folder_, ErrorCode::kInput, "folder");
  ExpectRefused(File("empty.png", ""), ErrorCode::kInput, "0 bytes");
  ExpectRefused(File("text.png", "hello, world"), ErrorCode::kInput, "these are read");
  Limits limits;
  limits.max_input_bytes = 5;
  ExpectRefused(File("large.ppm", kPicture), ErrorCode::kLimit, "max_input_bytes", limits);
  limits = {};
  limits.max_pixels = 1;
  ExpectRefused(File("large.ppm", kPicture), ErrorCode::kLimit, "max_pixels", limits);
}

TEST_F(OpenMediaTest, RefusesWithoutPermission) {
  const std::string path = File("secret.ppm", kPicture);
  ASSERT_EQ(chmod(path.c_str(), 0), 0);
  constexpr uid_t kNobody = 65534;
  const bool root = geteuid() == 0;  // who may read everything
  ASSERT_EQ(seteuid(root ? kNobody : geteuid()), 0);
  ExpectRefused(path, ErrorCode::kInput, "ermission");
  ASSERT_EQ(seteuid(root ? 0 : geteuid()), 0);
}

TEST_F(OpenMediaTest, ReadsTheSamplePhotos) {
  VQC_NEED_PART(".png");
  struct Sample {
    const char* name;
    int width, height;
  };
  for (const Sample& sample :
       {Sample{"astronaut.png", 256, 256}, {"chelsea.png", 451, 300}, {"rocket.jpg", 640, 427}}) {
    const auto clip = Take(std::string(VQC_SOURCE_DIR) + "/data/samples/" + sample.name);
    ASSERT_TRUE(clip.ok()) << clip.error().message;
    EXPECT_EQ(clip->width, sample.width);
    EXPECT_EQ(clip->height, sample.height);
    EXPECT_EQ(clip->channels, 3);
  }
}

TEST(MediaFormats, NamesEveryFormatOnce) {
  const auto formats = MediaFormats();
  ASSERT_GE(formats.size(), 8u);
  for (const MediaFormat& format : formats) {
    EXPECT_FALSE(format.name.empty());
    EXPECT_EQ(format.extensions.front(), '.');
    EXPECT_TRUE(format.reads || format.writes);
  }
}

}  // namespace
}  // namespace vqc
