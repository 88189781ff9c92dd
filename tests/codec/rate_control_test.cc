// SPDX-License-Identifier: Apache-2.0
#include "codec/rate_control.h"

#include <gtest/gtest.h>

#include "codec/codec.h"
#include "tests/support/fake_bundle.h"
#include "tests/support/random_clip.h"

namespace vqc {
namespace {

constexpr uint64_t kPlenty = 1 << 20;

// Blocks of 8 x 8 pixels of random colour: tokens without order.
Clip RandomBlocks(int channels, int side) {
  const Clip colours = RandomImage(channels, side / 8, side / 8);
  Clip clip = RandomImage(channels, side, side);
  size_t at = 0;
  for (int c = 0; c < channels; ++c) {
    for (int y = 0; y < side; ++y) {
      for (int x = 0; x < side; ++x) {
        clip.data[at++] = colours.data[c * colours.PlaneSize() + y / 8 * colours.width + x / 8];
      }
    }
  }
  return clip;
}

EncodedClip Encode(const Clip& clip, const RateOptions& rate) {
  auto encoded = EncodeImage(clip, FakeBundle(), rate);
  EXPECT_TRUE(encoded.ok()) << encoded.error().message;
  return std::move(*encoded);
}

Tokens TokensIn(const EncodedClip& encoded) {
  const auto stream = ReadStream(encoded.bytes, {});
  EXPECT_TRUE(stream.ok());
  const auto tokens = ReadTokens(*stream, stream->chunks.front(), FakeBundle(), {});
  EXPECT_TRUE(tokens.ok());
  return *tokens;
}

TEST(RateControl, FilesAreAsSmallAsAskedAndDecode) {
  const Clip clip = RandomBlocks(3, 256);
  const size_t whole = Encode(clip, {}).bytes.size();
  for (const size_t most : {whole, whole * 9 / 10, whole / 2}) {
    const EncodedClip encoded = Encode(clip, {.max_bytes = most});
    EXPECT_LE(encoded.bytes.size(), most);
    EXPECT_GT(encoded.bytes.size(), most * 3 / 4);  // and not needlessly small
    EXPECT_EQ(TokensIn(encoded), encoded.tokens);
    EXPECT_EQ(Encode(clip, {.max_bytes = most}).bytes, encoded.bytes);
  }
}

TEST(RateControl, ATokenIsKeptWhereTheFileIsSmallEnough) {
  const Clip clip = RandomBlocks(3, 64);
  const EncodedClip plain = Encode(clip, {.max_bytes = kPlenty});
  EXPECT_EQ(plain.rate_weight, 0);
  EXPECT_EQ(Encode(clip, {.max_bytes = plain.bytes.size()}).bytes, plain.bytes);
}

TEST(RateControl, MoreWeightGivesSmallerFiles) {
  const Clip clip = RandomBlocks(3, 256);
  size_t last = Encode(clip, {.max_bytes = kPlenty}).bytes.size();
  for (const double weight : {0.2, 1.0}) {
    const EncodedClip encoded = Encode(clip, {.weight = weight, .max_bytes = kPlenty});
    EXPECT_LT(encoded.bytes.size(), last);
    EXPECT_EQ(encoded.rate_weight, weight);
    last = encoded.bytes.size();
  }
}

TEST(RateControl, AlphaCountsAsPartOfTheFile) {
  const Clip clip = RandomBlocks(4, 64);
  const size_t whole = Encode(clip, {}).bytes.size();
  EXPECT_LE(Encode(clip, {.max_bytes = whole - 10}).bytes.size(), whole - 10);
}

TEST(RateControl, TooFewBytesAreALimit) {
  const auto encoded = EncodeImage(RandomBlocks(3, 64), FakeBundle(), {.max_bytes = 20});
  ASSERT_FALSE(encoded.ok());
  EXPECT_EQ(encoded.error().code, ErrorCode::kLimit);
  EXPECT_NE(encoded.error().message.find("--max-bytes"), std::string::npos);
}

TEST(RateControl, NoiseIsBoundedWithoutBeingAsked) {
  const EncodedClip encoded = Encode(RandomBlocks(3, 256), {});
  EXPECT_LE(encoded.payload_bytes, DefaultMaxPayload(encoded.tokens));
}

TEST(RateControl, AFewTokensAlwaysFit) {
  for (uint32_t count = 1; count <= 12; ++count) {
    const Tokens tokens{{1, 1, 1, count}, {1u << 20}, std::vector<uint32_t>(count)};
    EXPECT_GE(DefaultMaxPayload(tokens) * 8, 20 * count) << count;
  }
}

TEST(RateControl, TheLadderEndsAtTheLeastWeightThatFits) {
  const auto size_of = [](double weight) -> Result<size_t> { return weight < 0.7 ? 100 : 50; };
  const auto found = LeastWeight(0, 60, size_of);
  ASSERT_TRUE(found.ok());
  EXPECT_GE(*found, 0.7);
  EXPECT_LT(*found, 0.7 * 1.42);
  EXPECT_GT(*LeastWeight(0, 10, size_of), 5);  // none fits: the last rung
}

}  // namespace
}  // namespace vqc
