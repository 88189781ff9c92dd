// SPDX-License-Identifier: Apache-2.0
// Pictures that must be refused: with the right code, a message that helps, and nothing on stderr.
#include <sys/resource.h>

#include "tests/data/media/media_files.h"

namespace vqc {
namespace {

struct Case {
  std::string file;
  std::string says;  // a part of the message
  ErrorCode code = ErrorCode::kInput;
};

class RefusedTest : public testing::TestWithParam<Case> {};

TEST_P(RefusedTest, SaysWhy) {
  const Case& c = GetParam();
  VQC_NEED_PART(std::filesystem::path(c.file).extension());
  testing::internal::CaptureStderr();
  const auto found = ReadImage(MediaBytes(c.file), "some/" + c.file);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().code, c.code) << found.error().message;
  EXPECT_EQ(found.error().message.find("some/" + c.file + ": "), 0u) << found.error().message;
  EXPECT_NE(found.error().message.find(c.says), std::string::npos) << found.error().message;
}

INSTANTIATE_TEST_SUITE_P(All, RefusedTest,
                         testing::Values(Case{"animated.png", "animated PNG of 2 frames"},
                                         Case{"animated.webp", "animated WebP"}, Case{"still.gif", "GIF"},
                                         Case{"pages.tiff", "several pages"}, Case{"cmyk.jpg", "CMYK"},
                                         Case{"cmyk.tiff", "CMYK"}, Case{"float.tiff", "floating point"},
                                         Case{"tiff_gray_alpha.tiff", "2 samples"},
                                         Case{"bad_short_data.png", "damaged"},
                                         Case{"huge.png", "max_width", ErrorCode::kLimit},
                                         Case{"huge.jpg", "max_width", ErrorCode::kLimit},
                                         Case{"huge.webp", "max_width", ErrorCode::kLimit},
                                         Case{"huge.bmp", "max_width", ErrorCode::kLimit},
                                         Case{"huge.tiff", "max_width", ErrorCode::kLimit}),
                         [](const testing::TestParamInfo<Case>& test) {
                           std::string name = test.param.file;
                           for (char& c : name) c = c == '.' ? '_' : c;
                           return name;
                         });

long PeakKilobytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

TEST(BadImage, AHugeHeaderCostsNoMemory) {
  VQC_NEED_PART(".png");
  Limits limits;
  limits.max_width = limits.max_height = 1u << 20;  // so that max_pixels refuses
  const auto bytes = MediaBytes("huge.png");
  (void)ReadImage(bytes, "first", limits);
  const long before = PeakKilobytes();
  const auto found = ReadImage(bytes, "huge.png", limits);
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().code, ErrorCode::kLimit);
  EXPECT_NE(found.error().message.find("60000 x 60000 pixels; max_pixels is 268435456"), std::string::npos)
      << found.error().message;
  EXPECT_LT(PeakKilobytes() - before, 16 << 10);
}

TEST(BadImage, OtherFilesAreNamedOrListed) {
  const auto message = [](const std::string& text) {
    const auto found = ReadImage(std::vector<uint8_t>(text.begin(), text.end()), "x");
    EXPECT_FALSE(found.ok());
    return found ? std::string() : found.error().message;
  };
  EXPECT_NE(message("").find("empty (0 bytes)"), std::string::npos);
  EXPECT_NE(message("just some text").find("these are read: PNG, JPEG, WebP"), std::string::npos);
  EXPECT_NE(message(std::string("\0\0\0\x18"
                                "ftypheic....",
                                16))
                .find("HEIF"),
            std::string::npos);
  EXPECT_NE(message(std::string("\0\0\0\x18"
                                "ftypavif....",
                                16))
                .find("AVIF"),
            std::string::npos);
}

// Every proper prefix is an error, and none prints anything.
TEST(BadImage, EveryTruncationIsAnError) {
  int files = 0;
  for (const std::string file :
       {"png_rgb8.png", "png_palette_alpha.png", "png_interlaced.png", "turned6.png", "jpeg_rgb.jpg",
        "jpeg_gray.jpg", "jpeg_progressive.jpg", "jpeg_restart.jpg", "turned6.jpg", "webp_rgb.webp",
        "webp_lossy.webp", "turned6.webp", "bmp_rgb.bmp", "bmp_gray.bmp", "tiff_rgb.tiff", "tiff_lzw.tiff",
        "tiff_big_endian.tiff", "upright.npy"}) {
    if (!HavePart(std::filesystem::path(file).extension())) continue;
    ++files;
    const auto bytes = MediaBytes(file);
    ASSERT_TRUE(ReadImage(bytes, file).ok()) << file;
    testing::internal::CaptureStderr();
    size_t accepted = 0, last = 0;
    for (size_t size = 0; size < bytes.size(); ++size) {
      // A copy of its own, so that a sanitizer sees reads beyond the end.
      const std::vector<uint8_t> cut(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size));
      if (!ReadImage(cut, file).ok()) continue;
      ++accepted;
      last = size;
    }
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "") << file;
    EXPECT_EQ(accepted, 0u) << file << " of " << bytes.size() << " bytes was accepted with " << last;
  }
  EXPECT_GE(files, 1);
}

// PNG has checksums: any changed byte is found.
TEST(BadImage, EveryChangedByteOfAPngIsAnError) {
  VQC_NEED_PART(".png");
  for (const std::string file : {"png_rgb8.png", "png_palette_alpha.png", "turned6.png"}) {
    auto bytes = MediaBytes(file);
    for (size_t at = 0; at < bytes.size(); ++at) {
      for (const int flip : {0x01, 0x80, 0xFF}) {
        bytes[at] ^= static_cast<uint8_t>(flip);
        EXPECT_FALSE(ReadImage(bytes, file).ok()) << file << " byte " << at << " flip " << flip;
        bytes[at] ^= static_cast<uint8_t>(flip);
      }
    }
  }
}

// Formats without checksums may read as another picture of the same kind, but never crash, print, or grow.
TEST(BadImage, ChangedBytesDoNoHarm) {
  Limits limits;
  limits.max_pixels = 1u << 20;
  for (const std::string file :
       {"jpeg_rgb.jpg", "jpeg_progressive.jpg", "turned6.jpg", "webp_rgb.webp", "webp_lossy.webp",
        "turned6.webp", "bmp_rgb.bmp", "bmp_palette.bmp", "bmp_alpha.bmp", "tiff_rgb.tiff", "tiff_lzw.tiff",
        "tiff_rgba16.tiff", "upright.npy"}) {
    if (!HavePart(std::filesystem::path(file).extension())) continue;
    testing::internal::CaptureStderr();
    auto bytes = MediaBytes(file);
    for (size_t at = 0; at < bytes.size(); ++at) {
      for (const int flip : {0x01, 0x80, 0xFF}) {
        bytes[at] ^= static_cast<uint8_t>(flip);
        const auto found = ReadImage(bytes, file, limits);
        if (found.ok()) {
          EXPECT_LE(found->PlaneSize(), limits.max_pixels);
          EXPECT_EQ(found->data.size(), found->PlaneSize() * static_cast<size_t>(found->channels));
        }
        bytes[at] ^= static_cast<uint8_t>(flip);
      }
    }
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "") << file;
  }
}

TEST(BadImage, DamagedScanOfAJpegIsAnErrorNotGray) {
  VQC_NEED_PART(".jpg");
  auto bytes = MediaBytes("jpeg_rgb.jpg");
  // Cuts the middle out of the coded data and keeps the end marker.
  bytes.erase(bytes.end() - 90, bytes.end() - 20);
  const auto found = ReadImage(bytes, "x.jpg");
  ASSERT_FALSE(found.ok());
  EXPECT_NE(found.error().message.find("damaged"), std::string::npos) << found.error().message;
}

TEST(BadImage, DamagedStripOfATiffIsAnErrorNotGray) {
  VQC_NEED_PART(".tiff");
  auto bytes = MediaBytes("tiff_deflate.tiff");
  // Pillow puts the strip last; a changed byte in its middle breaks the zlib stream or its checksum.
  const std::string head("\x78\x9C");
  const auto strip = std::search(bytes.begin(), bytes.end(), head.begin(), head.end(),
                                 [](uint8_t a, char b) { return a == static_cast<uint8_t>(b); });
  ASSERT_NE(strip, bytes.end());
  *(strip + 30) ^= 0xFF;
  EXPECT_FALSE(ReadImage(bytes, "x.tiff").ok());
}

}  // namespace
}  // namespace vqc
