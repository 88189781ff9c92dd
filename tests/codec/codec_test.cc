// SPDX-License-Identifier: Apache-2.0
#include "codec/codec.h"

#include <gtest/gtest.h>

#include "data/media/samples.h"
#include "tests/support/fake_bundle.h"
#include "tests/support/random_clip.h"

namespace vqc {
namespace {

Clip RoundTrip(const Clip& clip, const Bundle& bundle) {
  const auto bytes = EncodeClip(clip, bundle);
  EXPECT_TRUE(bytes.ok()) << bytes.error().message;
  const auto stream = ReadStream(*bytes, {});
  EXPECT_TRUE(stream.ok()) << stream.error().message;
  auto decoded = DecodeStream(*stream, bundle, {});
  EXPECT_TRUE(decoded.ok()) << decoded.error().message;
  return std::move(*decoded);
}

TEST(Codec, SizesChannelsDepthAndAlphaComeBack) {
  const Bundle bundle = FakeBundle();
  for (const int channels : {1, 2, 3, 4}) {
    for (const int depth : {8, 16}) {
      for (const auto& [height, width] : {std::pair{1, 1}, {7, 9}, {8, 8}, {17, 64}, {3, 200}}) {
        const Clip clip = RandomImage(channels, height, width, depth);
        const Clip decoded = RoundTrip(clip, bundle);
        ASSERT_EQ(decoded.channels, channels);
        ASSERT_EQ(decoded.height, height);
        ASSERT_EQ(decoded.width, width);
        ASSERT_EQ(decoded.bit_depth, depth);
        ASSERT_EQ(decoded.data.size(), clip.data.size());
        if (!clip.HasAlpha()) continue;
        const auto plane = static_cast<ptrdiff_t>(clip.PlaneSize());
        EXPECT_TRUE(std::equal(clip.data.end() - plane, clip.data.end(), decoded.data.end() - plane));
      }
    }
  }
}

TEST(Codec, TheColourIsThatOfTheTokenizer) {
  const Bundle bundle = FakeBundle();
  Clip clip;
  clip.channels = 3;
  clip.height = clip.width = 20;
  for (const float colour : {-1.0f, 1.0f, 1.0f / 7}) clip.data.insert(clip.data.end(), 400, colour);
  const Clip decoded = RoundTrip(clip, bundle);
  for (size_t i = 0; i < clip.data.size(); ++i) ASSERT_NEAR(decoded.data[i], clip.data[i], 1e-6) << i;
}

TEST(Codec, GrayIsEncodedAsThreeEqualChannels) {
  const Bundle bundle = FakeBundle();
  const Clip gray = RandomImage(1, 19, 23);
  Clip colour = gray;
  colour.channels = 3;
  colour.data.insert(colour.data.end(), gray.data.begin(), gray.data.end());
  colour.data.insert(colour.data.end(), gray.data.begin(), gray.data.end());
  EXPECT_EQ(EncodeImage(gray, bundle)->tokens, EncodeImage(colour, bundle)->tokens);
}

TEST(Codec, EqualInputGivesEqualBytes) {
  const Bundle bundle = FakeBundle();
  const Clip clip = RandomImage(4, 65, 33);
  EXPECT_EQ(*EncodeClip(clip, bundle), *EncodeClip(clip, FakeBundle()));
}

TEST(Codec, AnOpaqueAlphaCostsAFewBytes) {
  const Bundle bundle = FakeBundle();
  Clip colour = RandomImage(3, 64, 64);
  Clip opaque = colour;
  opaque.channels = 4;
  opaque.data.insert(opaque.data.end(), opaque.PlaneSize(), 1.0f);
  EXPECT_LE(EncodeClip(opaque, bundle)->size(), EncodeClip(colour, bundle)->size() + 4);
}

TEST(Codec, NoiseTakesNoMoreThanTheRawIndices) {
  const Bundle bundle = FakeBundle();
  Clip clip = RandomImage(3, 512, 512);
  const auto plane = clip.PlaneSize();
  // Constant blocks of random colours: nothing for a prior to learn.
  std::mt19937 random(3);
  for (size_t y = 0; y < 512; y += 8) {
    for (size_t x = 0; x < 512; x += 8) {
      for (size_t c = 0; c < 3; ++c) {
        const float value = static_cast<float>(random() % 8) / 3.5f - 1.0f;
        for (size_t i = 0; i < 64; ++i) clip.data[c * plane + (y + i / 8) * 512 + x + i % 8] = value;
      }
    }
  }
  const auto encoded = EncodeImage(clip, bundle);
  EXPECT_DOUBLE_EQ(RawBits(encoded->tokens), 9.0 * 64 * 64);
  EXPECT_LE(8.0 * static_cast<double>(encoded->payload_bytes), RawBits(encoded->tokens) + 64);
}

TEST(Codec, TokensAreReadWithoutTheTokenizer) {
  const Bundle bundle = FakeBundle();
  const auto encoded = EncodeImage(RandomImage(3, 31, 77), bundle);
  const auto stream = *ReadStream(encoded->bytes, {});
  const Bundle prior_only{bundle.card, nullptr, bundle.prior};
  const auto tokens = ReadTokens(stream, stream.chunks.front(), prior_only, {});
  ASSERT_TRUE(tokens.ok()) << tokens.error().message;
  EXPECT_EQ(*tokens, encoded->tokens);
}

TEST(Codec, AnotherModelIsRefused) {
  const auto bytes = *EncodeClip(RandomImage(3, 16, 16), FakeBundle());
  const auto decoded = DecodeStream(*ReadStream(bytes, {}), FakeBundle(0.5f), {});
  ASSERT_FALSE(decoded.ok());
  EXPECT_EQ(decoded.error().code, ErrorCode::kModel);
}

TEST(Codec, AWrongTokenChecksumIsRefusedAndSalvaged) {
  const Bundle bundle = FakeBundle();
  Stream stream = *ReadStream(*EncodeClip(RandomImage(3, 40, 40), bundle), {});
  stream.chunks.front().token_crc ^= 1;
  EXPECT_EQ(DecodeStream(stream, bundle, {}).error().code, ErrorCode::kCorruptData);
  const auto salvaged = DecodeImage(stream, bundle, {.salvage = true, .limits = {}});
  ASSERT_TRUE(salvaged.ok()) << salvaged.error().message;
  EXPECT_EQ(salvaged->defects.size(), 1u);
}

TEST(Codec, DamagedAlphaIsRefusedAndSalvagedAsOpaque) {
  const Bundle bundle = FakeBundle();
  Stream stream = *ReadStream(*EncodeClip(RandomImage(4, 40, 40), bundle), {});
  stream.chunks.front().side[SideData::kAlpha].pop_back();
  EXPECT_EQ(DecodeStream(stream, bundle, {}).error().code, ErrorCode::kCorruptData);
  const auto salvaged = DecodeImage(stream, bundle, {.salvage = true, .limits = {}});
  ASSERT_TRUE(salvaged.ok()) << salvaged.error().message;
  EXPECT_EQ(salvaged->defects.size(), 1u);
  EXPECT_EQ(salvaged->clip.channels, 4);
  EXPECT_EQ(salvaged->clip.data.back(), 1.0f);
}

TEST(Codec, AlphaAndHeaderMustAgree) {
  const Bundle bundle = FakeBundle();
  Stream missing = *ReadStream(*EncodeClip(RandomImage(4, 9, 9), bundle), {});
  missing.chunks.front().side.clear();
  EXPECT_EQ(DecodeStream(missing, bundle, {}).error().code, ErrorCode::kCorruptData);
  Stream extra = *ReadStream(*EncodeClip(RandomImage(3, 9, 9), bundle), {});
  extra.chunks.front().side[SideData::kAlpha] = {0};
  EXPECT_EQ(DecodeStream(extra, bundle, {}).error().code, ErrorCode::kCorruptData);
}

TEST(Codec, EveryPriorThatNeedsNoTablesCodesTheSameTokens) {
  const Bundle bundle = FakeBundle();
  const Clip clip = RandomImage(3, 200, 120);
  const auto by_itself = EncodeImage(clip, bundle);
  for (const PriorRow& row : Priors()) {
    if (row.trained && row.name != bundle.card.prior) continue;
    const auto encoded = EncodeImage(clip, bundle, {}, {.prior = std::string(row.name)});
    ASSERT_TRUE(encoded.ok()) << row.name << ": " << encoded.error().message;
    const auto stream = *ReadStream(encoded->bytes, {});
    EXPECT_EQ(stream.header.coding, row.coding);
    EXPECT_EQ(*ReadTokens(stream, stream.chunks.front(), bundle, {}), by_itself->tokens) << row.name;
    EXPECT_LE(by_itself->payload_bytes, encoded->payload_bytes) << row.name;
  }
  const auto unknown = EncodeImage(clip, bundle, {}, {.prior = "mixing"});
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().code, ErrorCode::kUsage);
  EXPECT_NE(unknown.error().message.find("adaptive"), std::string::npos);
}

TEST(Codec, ADamagedWindowTakesItsOwnTokensOnly) {
  const Bundle bundle = FakeBundle();
  const auto encoded = EncodeImage(RandomImage(3, 200, 120), bundle, {}, {.window_bytes = 32});
  ASSERT_TRUE(encoded.ok()) << encoded.error().message;
  Stream stream = *ReadStream(encoded->bytes, {});
  EXPECT_EQ(NameOfCoding(stream.header.coding).find("in windows") != std::string::npos, true);
  EXPECT_EQ(*ReadTokens(stream, stream.chunks.front(), bundle, {}), encoded->tokens);

  auto damaged = encoded->bytes;
  damaged[200] ^= 1;
  EXPECT_FALSE(ReadStream(damaged, {}).ok());
  SalvageReport report;
  stream = *SalvageStream(damaged, {}, report);
  const auto salvaged = DecodeImage(stream, bundle, {.salvage = true, .limits = {}});
  ASSERT_TRUE(salvaged.ok()) << salvaged.error().message;
  ASSERT_EQ(salvaged->known.size(), encoded->tokens.ids.size());
  size_t lost = 0;
  for (size_t i = 0; i < salvaged->known.size(); ++i) {
    if (salvaged->known[i]) {
      ASSERT_EQ(salvaged->tokens.ids[i], encoded->tokens.ids[i]);
    } else {
      ++lost;
    }
  }
  EXPECT_GT(lost, 0u);
  EXPECT_LT(lost, salvaged->known.size() / 4);
  EXPECT_EQ(salvaged->defects.size(), 1u);
}

TEST(Codec, LostTokensAreMadeUpByThePrior) {
  SalvagedTokens salvaged;
  salvaged.tokens = {{1, 1, 2, 3}, {512}, {0, 0, 7, 4, 0, 0}};
  salvaged.known = {0, 0, 1, 1, 0, 0};
  const auto filled = FillUnknown(salvaged, FakeBundle());
  ASSERT_TRUE(filled.ok());
  EXPECT_EQ(filled->ids, (std::vector<uint32_t>{4, 7, 7, 4, 4, 7})) << "the nearest, the first of equal ones";
}

TEST(Codec, AnUnknownPriorIsRefused) {
  const Bundle bundle = FakeBundle();
  Stream stream = *ReadStream(*EncodeClip(RandomImage(3, 16, 16), bundle), {});
  stream.header.coding = 200;
  EXPECT_FALSE(DecodeStream(stream, bundle, {}).ok());
}

TEST(Codec, SamplesThatAreNoNumbersAreRefused) {
  Clip clip = RandomImage(3, 16, 16);
  clip.data[5] = NAN;
  const auto bytes = EncodeClip(clip, FakeBundle());
  ASSERT_FALSE(bytes.ok());
  EXPECT_EQ(bytes.error().code, ErrorCode::kInput);
}

}  // namespace
}  // namespace vqc
