// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "tests/data/media/media_files.h"

namespace vqc {
namespace {

TEST(Samples, EveryValueComesBack) {
  for (const uint32_t max : {255u, 65535u}) {
    for (uint32_t v = 0; v <= max; ++v) ASSERT_EQ(ToSample(FromSample(v, max), max), v);
  }
  EXPECT_EQ(FromSample(0, 255), -1.0f);
  EXPECT_EQ(FromSample(255, 255), 1.0f);
  EXPECT_EQ(ToSample(-7.0f, 255), 0u);
  EXPECT_EQ(ToSample(7.0f, 255), 255u);
  EXPECT_EQ(ToSample(std::numeric_limits<float>::quiet_NaN(), 255), 0u);
  EXPECT_EQ(ToSample(0.0f, 255), 128u);  // 127.5 rounds away from zero
}

struct Written {
  std::string extension;
  int channels, bit_depth;
};

class RoundTripTest : public testing::TestWithParam<Written> {};

TEST_P(RoundTripTest, ComesBackExactly) {
  const Written& w = GetParam();
  VQC_NEED_PART(w.extension);
  for (const auto& [height, width] : {std::pair{1, 1}, {1, 9}, {13, 6}, {64, 33}}) {
    const Clip clip = MakeClip(w.channels, height, width, w.bit_depth);
    const auto bytes = WriteImage(clip, w.extension);
    ASSERT_TRUE(bytes.ok()) << bytes.error().message;
    const auto again = WriteImage(clip, w.extension);
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(*bytes, *again) << "two calls, two files";
    auto back = ReadImage(*bytes, "back");
    ASSERT_TRUE(back.ok()) << back.error().message;
    ExpectSame(*back, clip);
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, RoundTripTest,
    testing::Values(
        Written{".png", 1, 8}, Written{".png", 2, 8}, Written{".png", 3, 8}, Written{".png", 4, 8},
        Written{".png", 1, 16}, Written{".png", 2, 16}, Written{".png", 3, 16}, Written{".png", 4, 16},
        Written{".npy", 1, 8}, Written{".npy", 2, 8}, Written{".npy", 3, 16}, Written{".npy", 4, 16},
        Written{".ppm", 1, 8}, Written{".ppm", 3, 8}, Written{".ppm", 1, 16}, Written{".ppm", 3, 16},
        Written{".pam", 1, 8}, Written{".pam", 2, 16}, Written{".pam", 3, 8}, Written{".pam", 4, 16},
        Written{".pgm", 1, 16}, Written{".tiff", 1, 8}, Written{".tiff", 3, 8}, Written{".tiff", 1, 16},
        Written{".tiff", 3, 16}, Written{".bmp", 1, 8}, Written{".bmp", 3, 8}, Written{".webp", 3, 8}),
    [](const testing::TestParamInfo<Written>& test) {
      return test.param.extension.substr(1) + "_" + std::to_string(test.param.channels) + "x" +
             std::to_string(test.param.bit_depth);
    });

TEST(WriteImage, WebpKeepsAlphaAndWhatCanBeSeen) {
  VQC_NEED_PART(".webp");
  for (const int channels : {2, 4}) {
    const Clip clip = MakeClip(channels, 21, 17, 8);
    const auto bytes = WriteImage(clip, ".webp");
    ASSERT_TRUE(bytes.ok()) << bytes.error().message;
    const auto back = ReadImage(*bytes, "back");
    ASSERT_TRUE(back.ok()) << back.error().message;
    ASSERT_EQ(back->channels, 4);
    for (int y = 0; y < clip.height; ++y) {
      for (int x = 0; x < clip.width; ++x) {
        const int alpha = SampleAt(clip, y, x, channels - 1);
        ASSERT_EQ(SampleAt(*back, y, x, 3), alpha);
        for (int c = 0; alpha && c < 3; ++c) {
          ASSERT_EQ(SampleAt(*back, y, x, c), SampleAt(clip, y, x, channels == 4 ? c : 0));
        }
      }
    }
  }
}

TEST(WriteImage, JpegIsClose) {
  VQC_NEED_PART(".jpg");
  const auto smooth = ReadImage(MediaBytes("upright.npy"), "upright");
  ASSERT_TRUE(smooth.ok());
  const auto bytes = WriteImage(*smooth, ".jpeg");
  ASSERT_TRUE(bytes.ok()) << bytes.error().message;
  const auto back = ReadImage(*bytes, "back");
  ASSERT_TRUE(back.ok()) << back.error().message;
  ExpectSame(*back, *smooth, 12);
}

TEST(WriteImage, RefusesWhatAFormatCannotHold) {
  const auto message = [](const Clip& clip, const std::string& extension) {
    const auto bytes = WriteImage(clip, extension);
    EXPECT_FALSE(bytes.ok()) << extension;
    if (bytes.ok()) return std::string();
    EXPECT_EQ(bytes.error().code, ErrorCode::kUsage);
    return bytes.error().message;
  };
  EXPECT_NE(message(MakeClip(4, 2, 2, 8), ".jpg").find("these do: .png, .webp, .pam, .npy"),
            std::string::npos);
  EXPECT_NE(message(MakeClip(3, 2, 2, 16), ".JPG").find("these hold 16: .png, .tiff"), std::string::npos);
  EXPECT_NE(message(MakeClip(3, 2, 2, 8), ".pgm").find(".ppm"), std::string::npos);
  EXPECT_NE(message(MakeClip(3, 2, 2, 8), ".xyz").find(".png, .jpg, .webp"), std::string::npos);
  EXPECT_NE(message(MakeClip(1, 1, 16384, 8), ".webp").find("16383"), std::string::npos);
  EXPECT_NE(message(MakeClip(3, 2, 2, 8), "").find("no extension"), std::string::npos);
}

TEST(WriteImage, RefusesWhatIsNoPicture) {
  Clip clip = MakeClip(3, 2, 2, 8);
  clip.data.pop_back();
  ASSERT_FALSE(WriteImage(clip, ".ppm").ok());
}

}  // namespace
}  // namespace vqc
