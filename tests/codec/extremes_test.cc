// SPDX-License-Identifier: Apache-2.0
// Pictures and sounds of the smallest, odd and longest shapes, of the values at the edges of what a sample
// can be: they come back in their size, in range, with their tokens.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "codec/audio.h"
#include "codec/codec.h"
#include "tests/support/fake_audio_model.h"
#include "tests/support/fake_bundle.h"

namespace vqc {
namespace {

using Limit = std::numeric_limits<float>;
constexpr float kValues[] = {0.0f,          -0.0f, 1.0f,         -1.0f, 0.5f, Limit::denorm_min(),
                             -Limit::min(), 1e30f, -Limit::max()};
constexpr float kNoNumbers[] = {Limit::quiet_NaN(), Limit::infinity(), -Limit::infinity()};

// All of one value, or of two that take turns.
std::vector<float> Fill(size_t count, float one, float other) {
  std::vector<float> values(count, one);
  for (size_t i = 1; i < count; i += 2) values[i] = other;
  return values;
}

TEST(Extremes, OfPictures) {
  const Bundle bundle = FakeBundle();
  int count = 0;
  for (const auto& [height, width] :
       {std::pair{1, 1}, {1, 2}, {3, 1}, {7, 13}, {61, 1}, {1, 257}, {31, 61}, {1, 4096}}) {
    for (int channels = 1; channels <= 4; ++channels) {
      for (const float value : kValues) {
        Clip clip;
        clip.channels = channels;
        clip.height = height;
        clip.width = width;
        clip.bit_depth = count % 2 ? 16 : 8;
        clip.data = Fill(clip.PlaneSize() * static_cast<size_t>(channels), value, kValues[count % 9]);
        const auto encoded = EncodeImage(clip, bundle);
        ASSERT_TRUE(encoded.ok()) << encoded.error().message;
        const auto stream = ReadStream(encoded->bytes, {});
        ASSERT_TRUE(stream.ok()) << stream.error().message;
        const auto decoded = DecodeImage(*stream, bundle, {});
        ASSERT_TRUE(decoded.ok()) << decoded.error().message;
        EXPECT_EQ(decoded->tokens, encoded->tokens);
        EXPECT_EQ(decoded->clip.height, height);
        EXPECT_EQ(decoded->clip.width, width);
        ASSERT_EQ(decoded->clip.data.size(), clip.data.size());
        EXPECT_TRUE(std::ranges::all_of(decoded->clip.data, [](float v) { return v >= -1 && v <= 1; }));
        ++count;
      }
      for (const float bad : kNoNumbers) {
        Clip clip;
        clip.channels = channels;
        clip.height = height;
        clip.width = width;
        clip.data.assign(clip.PlaneSize() * static_cast<size_t>(channels), 0.5f);
        clip.data[clip.PlaneSize() / 2] = bad;
        const auto refused = EncodeImage(clip, bundle);
        ASSERT_FALSE(refused.ok()) << channels << " channels, " << width << " x " << height;
        EXPECT_EQ(refused.error().code, ErrorCode::kInput);
        ++count;
      }
    }
  }
  RecordProperty("pictures", count);
}

Result<std::vector<uint8_t>> EncodeSound(const Bundle& bundle, int rate, int channels,
                                         const std::vector<float>& samples) {
  VQC_ASSIGN(auto encoder, AudioEncoder::Create(bundle, rate, channels, {}));
  VQC_ASSIGN(auto bytes, encoder.Push(samples));
  VQC_ASSIGN(const auto end, encoder.Finish());
  bytes.insert(bytes.end(), end.begin(), end.end());
  return bytes;
}

TEST(Extremes, OfSounds) {
  const Bundle bundle = FakeAudioBundle();
  int count = 0;
  for (const size_t frames : {1, 2, 319, 320, 321, 641, 24001}) {
    for (const int channels : {1, 2, 7}) {
      for (const float value : kValues) {
        const auto samples = Fill(frames * static_cast<size_t>(channels), value, kValues[count % 9]);
        const auto bytes = EncodeSound(bundle, 24000, channels, samples);
        ASSERT_TRUE(bytes.ok()) << bytes.error().message;
        const auto stream = ReadStream(*bytes, {});
        ASSERT_TRUE(stream.ok()) << stream.error().message;
        auto decoder = AudioDecoder::Create(stream->header, ChunkFramesOf(*stream), bundle);
        ASSERT_TRUE(decoder.ok()) << decoder.error().message;
        size_t got = 0;
        const auto sink = [&](std::span<const float> piece) -> Status {
          got += piece.size();
          EXPECT_TRUE(std::ranges::all_of(piece, [](float v) { return v >= -1 && v <= 1; }));
          return {};
        };
        for (const Chunk& chunk : stream->chunks) ASSERT_TRUE(decoder->Push(chunk, sink).ok());
        ASSERT_TRUE(decoder->Finish(sink).ok());
        EXPECT_EQ(got, samples.size());
        ++count;
      }
      for (const float bad : kNoNumbers) {
        auto samples = Fill(frames * static_cast<size_t>(channels), 0.5f, -0.5f);
        samples.back() = bad;
        const auto refused = EncodeSound(bundle, 24000, channels, samples);
        ASSERT_FALSE(refused.ok());
        EXPECT_EQ(refused.error().code, ErrorCode::kInput);
        ++count;
      }
    }
  }
  RecordProperty("sounds", count);
}

}  // namespace
}  // namespace vqc
