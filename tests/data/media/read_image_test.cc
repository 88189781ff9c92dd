// SPDX-License-Identifier: Apache-2.0
// Every kind of picture against the samples that another program put into it.
#include "tests/data/media/media_files.h"

namespace vqc {
namespace {

class ReadImageTest : public testing::TestWithParam<std::string> {};

TEST_P(ReadImageTest, FindsTheSamples) {
  const std::filesystem::path file = GetParam();
  VQC_NEED_PART(file.extension());
  const auto found = ReadImage(MediaBytes(file), file);
  ASSERT_TRUE(found.ok()) << found.error().message;
  const auto wanted = ReadImage(MediaBytes(file.stem().string() + ".npy"), "wanted");
  ASSERT_TRUE(wanted.ok()) << wanted.error().message;
  // Decoders of lossy formats may differ in the last place; of lossless ones they may not.
  const bool lossy = file.extension() == ".jpg" || file.stem() == "webp_lossy";
  ExpectSame(*found, *wanted, lossy ? 2 : 0);
}

std::string TestName(const testing::TestParamInfo<std::string>& test) {
  return std::filesystem::path(test.param).stem();
}

INSTANTIATE_TEST_SUITE_P(Png, ReadImageTest,
                         testing::Values("png_gray1.png", "png_gray2.png", "png_gray4.png", "png_gray8.png",
                                         "png_gray16.png", "png_graya8.png", "png_graya16.png",
                                         "png_rgb8.png", "png_rgb16.png", "png_rgba8.png", "png_rgba16.png",
                                         "png_palette.png", "png_palette_alpha.png", "png_gray_key.png",
                                         "png_rgb_key.png", "png_interlaced.png", "png_odd_chunks.png"),
                         TestName);
INSTANTIATE_TEST_SUITE_P(Jpeg, ReadImageTest,
                         testing::Values("jpeg_rgb.jpg", "jpeg_gray.jpg", "jpeg_progressive.jpg",
                                         "jpeg_420.jpg", "jpeg_restart.jpg"),
                         TestName);
INSTANTIATE_TEST_SUITE_P(Webp, ReadImageTest,
                         testing::Values("webp_rgb.webp", "webp_rgba.webp", "webp_lossy.webp"), TestName);
INSTANTIATE_TEST_SUITE_P(Bmp, ReadImageTest,
                         testing::Values("bmp_gray.bmp", "bmp_rgb.bmp", "bmp_bits.bmp", "bmp_palette.bmp",
                                         "bmp_padded.bmp", "bmp_alpha.bmp"),
                         TestName);
INSTANTIATE_TEST_SUITE_P(Tiff, ReadImageTest,
                         testing::Values("tiff_gray.tiff", "tiff_rgb.tiff", "tiff_rgba.tiff", "tiff_lzw.tiff",
                                         "tiff_deflate.tiff", "tiff_bits.tiff", "tiff_gray16.tiff",
                                         "tiff_rgb16.tiff", "tiff_rgba16.tiff", "tiff_big_endian.tiff",
                                         "tiff_white_is_zero.tiff", "tiff_white_is_zero16.tiff",
                                         "tiff_associated.tiff"),
                         TestName);

class OrientationTest : public testing::TestWithParam<int> {};

TEST_P(OrientationTest, ComesOutUpright) {
  const auto wanted = ReadImage(MediaBytes("upright.npy"), "wanted");
  ASSERT_TRUE(wanted.ok()) << wanted.error().message;
  int read = 0;
  for (const std::string extension : {".png", ".jpg", ".webp", ".tiff"}) {
    if (!HavePart(extension)) continue;
    const std::string file = "turned" + std::to_string(GetParam()) + extension;
    SCOPED_TRACE(file);
    const auto found = ReadImage(MediaBytes(file), file);
    ASSERT_TRUE(found.ok()) << found.error().message;
    ExpectSame(*found, *wanted, extension == ".jpg" ? 12 : 0);
    ++read;
  }
  if (read == 0) GTEST_SKIP() << "no media part was built";
}

INSTANTIATE_TEST_SUITE_P(All, OrientationTest, testing::Range(1, 9));

}  // namespace
}  // namespace vqc
