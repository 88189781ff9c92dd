// SPDX-License-Identifier: Apache-2.0
// Real picture files that cannot be encoded, and a disk that is really full.
#include <sys/mount.h>

#include <fstream>
#include <sstream>

#include "tests/cli/cli_test_base.h"

namespace vqc {
namespace {

using Names = std::vector<std::string>;

std::string SourceFile(const std::string& name) {
  std::ifstream file(std::string(VQC_SOURCE_DIR) + "/" + name, std::ios::binary);
  std::stringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

class BadMedia : public CliTest {
 protected:
  // Encoding `bytes` under `name` is refused in one line that has `mention` in it; nothing is written.
  void ExpectRefused(const std::string& name, const std::string& bytes, const std::string& mention) {
    ASSERT_FALSE(bytes.empty()) << name;
    Write(name, bytes);
    const Ran ran = Run({"encode", name});
    EXPECT_EQ(ran.exit_code, 3) << ran.err;
    EXPECT_TRUE(ran.IsOneLineError()) << ran.err;
    EXPECT_NE(ran.err.find(name), std::string::npos) << ran.err;
    EXPECT_NE(ran.err.find(mention), std::string::npos) << ran.err;
    EXPECT_EQ(Files(), Names{name});
    std::filesystem::remove(Path(name));
  }
};

TEST_F(BadMedia, KindsThatCannotBeEncoded) {
  const std::vector<std::pair<std::string, std::string>> files = {
      {"animated.png", "animated"}, {"animated.webp", "animated"}, {"still.gif", "GIF"},
      {"pages.tiff", "pages"},      {"cmyk.jpg", "CMYK"},          {"cmyk.tiff", "CMYK"}};
  for (const auto& [name, mention] : files) {
    ExpectRefused(name, SourceFile("tests/data/media/files/" + name), mention);
  }
}

TEST_F(BadMedia, HeadersThatClaimHugePictures) {
  for (const std::string name : {"huge.png", "huge.jpg", "huge.webp", "huge.bmp", "huge.tiff"}) {
    ExpectRefused(name, SourceFile("tests/data/media/files/" + name), "max_width");
  }
}

TEST_F(BadMedia, PicturesThatAreCutOff) {
  if (Run({"--version"}).out.find("media part: built") == std::string::npos) {
    GTEST_SKIP() << "this build reads no PNG and JPEG; configure with -DVQCODEC_OPENCV=ON";
  }
  for (const std::string name : {"chelsea.png", "rocket.jpg"}) {
    const std::string whole = SourceFile("data/samples/" + name);
    ASSERT_GT(whole.size(), 1000u);
    for (const size_t kept : {size_t{1}, size_t{20}, size_t{600}, whole.size() / 2, whole.size() - 40}) {
      SCOPED_TRACE(name + " cut to " + std::to_string(kept) + " bytes");
      ExpectRefused(name, whole.substr(0, kept), name);
    }
  }
}

// A disk of two pages. Mounting takes a privilege; AFullDisk of bad_input_test.cc does without.
TEST_F(BadMedia, ADiskThatIsFull) {
  std::filesystem::create_directories(Path("disk"));
  const std::string disk = Path("disk");
  if (mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=8k") != 0)
    GTEST_SKIP() << "no file system can be mounted";
  Write("a.ppm", NoisePpm(1200, 1200));
  for (const Names& arguments :
       {Names{"encode", "a.ppm", "-O", "disk"}, Names{"encode", "a.ppm", "-o", "disk/b"}}) {
    const Ran ran = Run(arguments);
    EXPECT_EQ(ran.exit_code, 3) << ran.err;
    EXPECT_TRUE(ran.IsOneLineError()) << ran.err;
    EXPECT_NE(ran.err.find("disk/"), std::string::npos) << ran.err;
    EXPECT_NE(ran.err.find("No space left"), std::string::npos) << ran.err;
    EXPECT_EQ(Files(), Names{"a.ppm"});
  }
  EXPECT_EQ(umount(disk.c_str()), 0);
}

}  // namespace
}  // namespace vqc
