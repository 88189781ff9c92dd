// SPDX-License-Identifier: Apache-2.0
#include "data/media/ppm.h"

#include "tests/data/media/media_files.h"

namespace vqc {
namespace {

Result<Clip> Read(const std::string& text) {
  return ReadImage(std::vector<uint8_t>(text.begin(), text.end()), "x.ppm");
}

void ExpectRefused(const std::string& text, const std::string& says, ErrorCode code = ErrorCode::kInput) {
  const auto found = Read(text);
  ASSERT_FALSE(found.ok()) << text;
  EXPECT_EQ(found.error().code, code);
  EXPECT_NE(found.error().message.find(says), std::string::npos) << found.error().message;
}

TEST(Ppm, ReadsColourWithComments) {
  const auto clip = Read("P6 # made by hand\n2 #columns\n1\n255\nabcdef");
  ASSERT_TRUE(clip.ok()) << clip.error().message;
  EXPECT_EQ(clip->channels, 3);
  EXPECT_EQ(clip->width, 2);
  EXPECT_EQ(SampleAt(*clip, 0, 0, 0), 'a');
  EXPECT_EQ(SampleAt(*clip, 0, 1, 0), 'd');
  EXPECT_EQ(SampleAt(*clip, 0, 1, 2), 'f');
}

TEST(Ppm, SixteenBitsAreBigEndian) {
  const auto clip = Read("P5\n1 2\n65535\n\x01\x02\xFF\xFE");
  ASSERT_TRUE(clip.ok()) << clip.error().message;
  EXPECT_EQ(clip->bit_depth, 16);
  EXPECT_EQ(SampleAt(*clip, 0, 0, 0), 0x0102);
  EXPECT_EQ(SampleAt(*clip, 1, 0, 0), 0xFFFE);
}

TEST(Ppm, ScalesOtherMaxvals) {
  const auto clip = Read(std::string("P5\n3 1\n4\n\0\2\4", 12));
  ASSERT_TRUE(clip.ok()) << clip.error().message;
  EXPECT_EQ(clip->data, (std::vector<float>{-1, 0, 1}));
}

TEST(Ppm, ReadsAlphaOfPam) {
  const auto clip = Read("P7\nWIDTH 1\nHEIGHT 1\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\nwxyz");
  ASSERT_TRUE(clip.ok()) << clip.error().message;
  EXPECT_TRUE(clip->HasAlpha());
  EXPECT_EQ(SampleAt(*clip, 0, 0, 3), 'z');
}

TEST(Ppm, RefusesEveryTruncation) {
  for (const std::string& text :
       {std::string("P6\n2 1\n255\nabcdef"),
        std::string("P7\nWIDTH 1\nHEIGHT 1\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\nwxyz")}) {
    ASSERT_TRUE(Read(text).ok());
    for (size_t size = 0; size < text.size(); ++size) EXPECT_FALSE(Read(text.substr(0, size)).ok()) << size;
  }
}

TEST(Ppm, RefusesWithReasons) {
  ExpectRefused("P3\n1 1\n255\n1 2 3\n", "P3");
  ExpectRefused("P4\n1 1\n1", "P4");
  ExpectRefused("P5\n60000 60000\n255\n", "max_width", ErrorCode::kLimit);
  ExpectRefused("P5\n99999999999999999999 1\n255\n", "width");
  ExpectRefused("P5\n-1 1\n255\na", "width");
  ExpectRefused("P5\n0 1\n255\n", "empty");
  ExpectRefused("P5\n1 1\n0\na", "maxval");
  ExpectRefused("P5\n1 1\n65536\nab", "maxval");
  ExpectRefused("P5\n1 1\n100\n\x70", "above");
  ExpectRefused("P5\n1 1\n255\naP5\n1 1\n255\nb", "several pictures");
  ExpectRefused("P7\nWIDTH 1\nHEIGHT 1\nDEPTH 3\nMAXVAL 255\nTUPLTYPE GRAYSCALE\nENDHDR\nabc", "TUPLTYPE");
  ExpectRefused("P7\nWIDTH 1\nHEIGHT 1\nDEPTH 9\nMAXVAL 255\nENDHDR\nabcdefghi", "DEPTH 9");
  ExpectRefused("P7\nWIDTH 1\nDEPTH 1\nMAXVAL 255\nENDHDR\na", "HEIGHT");
}

}  // namespace
}  // namespace vqc
