// SPDX-License-Identifier: Apache-2.0
#include "codec/alpha.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/random_clip.h"

namespace vqc {
namespace {

std::vector<float> PlaneOf(const Clip& clip) {
  return {clip.data.end() - static_cast<ptrdiff_t>(clip.PlaneSize()), clip.data.end()};
}

void Fill(Clip& clip, float value) {
  std::fill(clip.data.end() - static_cast<ptrdiff_t>(clip.PlaneSize()), clip.data.end(), value);
}

AlphaShape ShapeOf(const Clip& clip) {
  return {static_cast<uint32_t>(clip.height), static_cast<uint32_t>(clip.width),
          static_cast<uint32_t>(clip.bit_depth)};
}

TEST(Alpha, ComesBackExactlyAtEverySize) {
  for (const int depth : {8, 16}) {
    for (const int channels : {2, 4}) {
      for (const auto& [height, width] : {std::pair{1, 1}, {1, 7}, {5, 1}, {3, 3}, {33, 64}}) {
        const Clip clip = RandomImage(channels, height, width, depth);
        const auto bytes = EncodeAlpha(clip);
        ASSERT_TRUE(bytes.ok()) << bytes.error().message;
        const auto plane = DecodeAlpha(*bytes, ShapeOf(clip), {});
        ASSERT_TRUE(plane.ok()) << plane.error().message;
        EXPECT_EQ(*plane, PlaneOf(clip)) << height << " x " << width << ", " << depth << " bits";
      }
    }
  }
}

TEST(Alpha, EveryFilterIsUndone) {
  // Rows that favour each of the filters: noise, a slope along the row, a copy of the row above, a plane.
  Clip clip = RandomImage(4, 40, 50);
  float* alpha = clip.data.data() + 3 * clip.PlaneSize();
  for (int y = 8; y < 40; ++y) {
    for (int x = 0; x < 50; ++x) {
      float& value = alpha[y * 50 + x];
      if (y < 16) value = FromSample(static_cast<uint32_t>(x * 5), 255);
      if (y >= 16 && y < 24) value = alpha[15 * 50 + (x * 7) % 50];
      if (y >= 24) value = FromSample(static_cast<uint32_t>((x * 3 + y * 2 + (x * y) % 3) % 256), 255);
    }
  }
  const auto bytes = EncodeAlpha(clip);
  ASSERT_TRUE(bytes.ok());
  const auto plane = DecodeAlpha(*bytes, ShapeOf(clip), {});
  ASSERT_TRUE(plane.ok()) << plane.error().message;
  EXPECT_EQ(*plane, PlaneOf(clip));
}

TEST(Alpha, OpaqueCostsOneByteAndAConstantAtMostThree) {
  for (const int depth : {8, 16}) {
    Clip clip = RandomImage(4, 200, 300, depth);
    Fill(clip, 1.0f);
    EXPECT_EQ(EncodeAlpha(clip)->size(), 1u);
    Fill(clip, -1.0f);
    EXPECT_EQ(EncodeAlpha(clip)->size(), 1u + static_cast<size_t>(depth) / 8);
    EXPECT_EQ(*DecodeAlpha(*EncodeAlpha(clip), ShapeOf(clip), {}), PlaneOf(clip));
  }
}

TEST(Alpha, ASmoothMaskIsSmall) {
  Clip clip = RandomImage(4, 256, 256);
  float* alpha = clip.data.data() + 3 * clip.PlaneSize();
  for (int y = 0; y < 256; ++y) {
    for (int x = 0; x < 256; ++x) alpha[y * 256 + x] = FromSample(static_cast<uint32_t>((x + y) / 2), 255);
  }
  EXPECT_LT(EncodeAlpha(clip)->size(), 1000u);
}

TEST(Alpha, EveryTruncationAndTrailingByteIsRefused) {
  const Clip clip = RandomImage(4, 9, 11);
  const auto bytes = *EncodeAlpha(clip);
  for (size_t size = 0; size < bytes.size(); ++size) {
    const auto plane = DecodeAlpha(std::span(bytes).first(size), ShapeOf(clip), {});
    ASSERT_FALSE(plane.ok()) << size;
    EXPECT_EQ(plane.error().code, ErrorCode::kCorruptData);
  }
  auto longer = bytes;
  longer.push_back(0);
  EXPECT_FALSE(DecodeAlpha(longer, ShapeOf(clip), {}).ok());
}

TEST(Alpha, DamageIsAnErrorOrAPlaneNeverMore) {
  const Clip clip = RandomImage(2, 16, 16);
  const auto bytes = *EncodeAlpha(clip);
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      auto damaged = bytes;
      damaged[i] ^= static_cast<uint8_t>(1 << bit);
      const auto plane = DecodeAlpha(damaged, ShapeOf(clip), {});
      if (plane.ok()) {
        EXPECT_EQ(plane->size(), clip.PlaneSize());
      }
    }
  }
}

TEST(Alpha, AClaimOfSizeIsCheckedBeforeMemoryIsTaken) {
  const Clip clip = RandomImage(2, 4, 4);
  const auto bytes = *EncodeAlpha(clip);
  Limits limits;
  limits.max_pixels = 15;
  EXPECT_EQ(DecodeAlpha(bytes, ShapeOf(clip), limits).error().code, ErrorCode::kLimit);
  EXPECT_FALSE(DecodeAlpha(bytes, {16384, 16384, 8}, {}).ok());  // the frame says another size
  EXPECT_FALSE(DecodeAlpha(bytes, {0, 4, 8}, {}).ok());
}

TEST(Alpha, OpaqueHasOneSpelling) {
  const uint8_t spelled_out[] = {1, 255};
  EXPECT_FALSE(DecodeAlpha(spelled_out, {4, 4, 8}, {}).ok());
}

}  // namespace
}  // namespace vqc
