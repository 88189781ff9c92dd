// SPDX-License-Identifier: Apache-2.0
// Streams of a model that cuts sound into segments with scales: EnCodec of 48 kHz, by its small golden.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "codec/audio.h"
#include "codec/codec.h"
#include "codec/container/live.h"
#include "codec/scales.h"
#include "models/write_bundle.h"
#include "tests/base/temp_folder.h"
#include "tokenizers/import_model.h"

namespace vqc {
namespace {

class SegmentStream : public ::testing::Test {
 protected:
  static constexpr int kRate = 1200;

  void SetUp() override {
    const auto imported =
        ImportModel(std::string(VQC_SOURCE_DIR) + "/tests/golden/import/encodec_48khz", "m");
    ASSERT_TRUE(imported.ok()) << imported.error().message;
    ASSERT_TRUE(WriteBundleFiles(folder_.Path("m"), imported->card, ViewsOf(imported->tensors)).ok());
    const auto bundle = LoadBundle(*FindModel(folder_.Path("m")), {});
    ASSERT_TRUE(bundle.ok()) << bundle.error().message;
    bundle_ = *bundle;
  }

  static std::vector<float> Sound(size_t frames, size_t channels = 2) {
    std::vector<float> sound;
    for (size_t i = 0; i < frames * channels; ++i) {
      const double time = static_cast<double>(i / channels) / kRate;
      sound.push_back(static_cast<float>(0.5 * std::sin(400 * time * (1 + time)) * (i % channels ? 0.3 : 1)));
    }
    return sound;
  }
  std::vector<uint8_t> Encode(const std::vector<float>& sound, int channels, const AudioOptions& options = {},
                              size_t piece = SIZE_MAX) const {
    auto encoder = AudioEncoder::Create(bundle_, kRate, channels, options);
    EXPECT_TRUE(encoder.ok()) << encoder.error().message;
    std::vector<uint8_t> bytes;
    const auto take = [&](const Result<std::vector<uint8_t>>& more) {
      ASSERT_TRUE(more.ok()) << more.error().message;
      bytes.insert(bytes.end(), more->begin(), more->end());
    };
    for (size_t at = 0; at < sound.size(); at += std::min(piece, sound.size() - at))
      take(encoder->Push(std::span(sound).subspan(at, std::min(piece, sound.size() - at))));
    take(encoder->Finish());
    return bytes;
  }
  Result<std::vector<float>> Decode(const Stream& stream, uint32_t chunk_frames) const {
    VQC_ASSIGN(auto decoder, AudioDecoder::Create(stream.header, chunk_frames, bundle_));
    std::vector<float> sound;
    const auto sink = [&](std::span<const float> samples) -> Status {
      sound.insert(sound.end(), samples.begin(), samples.end());
      return {};
    };
    for (const Chunk& chunk : stream.chunks) VQC_TRY(decoder.Push(chunk, sink));
    VQC_TRY(decoder.Finish(sink));
    return sound;
  }
  // What the tokenizer makes of the whole sound at once.
  std::vector<float> Whole(const std::vector<float>& sound, int channels) const {
    Clip clip{.modality = Modality::kAudio, .channels = channels, .rate = kRate, .data = sound};
    clip.frames = static_cast<int>(sound.size()) / channels;
    const auto tokens = *bundle_.tokenizer->Encode({&clip, 1});
    const Tokenizer::Target target{.frames = clip.frames, .channels = channels};
    return bundle_.tokenizer->Decode(tokens, {&target, 1})->front().data;
  }

  testing::TempFolder folder_;
  Bundle bundle_;
};

TEST_F(SegmentStream, ChunksChangeNothing) {
  // Segments are 120 samples, one every 102; lengths around the ends of chunks of two segments.
  for (const size_t frames :
       {1u, 101u, 102u, 103u, 120u, 121u, 204u, 205u, 210u, 224u, 407u, 408u, 409u, 1000u, 1021u}) {
    for (const int channels : {1, 2}) {
      const auto sound = Sound(frames, static_cast<size_t>(channels)), whole = Whole(sound, channels);
      for (const double seconds : {0.0, 0.1}) {
        const auto bytes = Encode(sound, channels, {.chunk_seconds = seconds});
        EXPECT_EQ(Encode(sound, channels, {.chunk_seconds = seconds}, 7 * 2), bytes);
        const auto stream = ReadStream(bytes, {});
        ASSERT_TRUE(stream.ok()) << stream.error().message;
        const auto decoded = Decode(*stream, ChunkFramesOf(*stream));
        ASSERT_TRUE(decoded.ok()) << decoded.error().message;
        EXPECT_EQ(*decoded, whole) << frames << " x " << channels << ", " << seconds;
      }
      const auto live = ReadStream(Encode(sound, channels, {.chunk_seconds = 0.1, .live = true}, 2), {});
      ASSERT_TRUE(live.ok()) << live.error().message;
      EXPECT_EQ(*Decode(*live, ChunkFramesOf(*live)), whole);
    }
  }
}

TEST_F(SegmentStream, ALostChunkIsSilentAndTheRestAsBefore) {
  const auto sound = Sound(1000), whole = Whole(sound, 2);
  auto stream = *ReadStream(Encode(sound, 2, {.chunk_seconds = 0.1, .frames = 1000}), {});
  const uint32_t frames = ChunkFramesOf(stream);
  ASSERT_EQ(frames, 204u);
  stream.chunks.erase(stream.chunks.begin() + 2);
  const auto decoded = *Decode(stream, frames);
  ASSERT_EQ(decoded.size(), whole.size());
  const size_t overlap = 18;
  for (size_t i = 0; i < decoded.size(); ++i) {
    const size_t frame = i / 2;
    if (frame < 408 || frame >= 612 + overlap) {
      ASSERT_EQ(decoded[i], whole[i]) << frame;
    } else if (frame >= 408 + overlap && frame < 612) {
      ASSERT_EQ(decoded[i], 0) << frame;
    }
  }
}

TEST_F(SegmentStream, FewerLevelsKeepTheScales) {
  const auto stream = *ReadStream(Encode(Sound(1000), 2, {.chunk_seconds = 0.1}), {});
  const auto fewer = DropLevels(stream, 2, bundle_, {});
  ASSERT_TRUE(fewer.ok()) << fewer.error().message;
  const auto direct = *ReadStream(Encode(Sound(1000), 2, {.levels = 2}), {});
  EXPECT_EQ(*Decode(*fewer, ChunkFramesOf(*fewer)), *Decode(direct, ChunkFramesOf(direct)));
}

TEST_F(SegmentStream, ScalesThatCannotBeAreRefused) {
  const auto good = *ReadStream(Encode(Sound(1000), 2, {.chunk_seconds = 0.1}), {});
  const auto refused = [&](const auto& change) {
    Stream stream = good;
    change(stream.chunks[1].side[SideData::kScales]);
    const auto bytes = WriteStream(stream);
    ASSERT_TRUE(bytes.ok()) << bytes.error().message;
    const auto tokens = ReadTokens(stream, stream.chunks[1], bundle_, {});
    ASSERT_FALSE(tokens.ok());
    EXPECT_EQ(tokens.error().code, ErrorCode::kCorruptData);
    EXPECT_FALSE(Decode(*ReadStream(*bytes, {}), ChunkFramesOf(good)).ok());
  };
  ASSERT_EQ(good.chunks[1].side.at(SideData::kScales).size(), 1u + 2 * 4);
  for (const float scale : {0.0f, -1.0f, INFINITY, NAN, 1e9f})
    refused([&](auto& side) { std::memcpy(side.data() + 1, &scale, sizeof scale); });
  refused([](auto& side) { side.pop_back(); });
  refused([](auto& side) { side.push_back(0); });
  refused([](auto& side) { side[0] = 10; });
  refused([](auto& side) { side[0] = 0; });
  refused([](auto& side) { side = {0x80, 0x80}; });
  Stream without = good;
  for (Chunk& chunk : without.chunks) chunk.side.clear();
  EXPECT_FALSE(Decode(without, ChunkFramesOf(without)).ok());
}

TEST_F(SegmentStream, OtherChannelsAreRefused) {
  const auto encoder = AudioEncoder::Create(bundle_, kRate, 3);
  ASSERT_FALSE(encoder.ok());
  EXPECT_EQ(encoder.error().code, ErrorCode::kUsage);
  auto stream = *ReadStream(Encode(Sound(300), 2), {});
  stream.header.channels = 3;
  EXPECT_EQ(Decode(stream, 300).error().code, ErrorCode::kCorruptData);
}

}  // namespace
}  // namespace vqc
