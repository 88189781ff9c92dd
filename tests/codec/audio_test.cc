// SPDX-License-Identifier: Apache-2.0
#include "codec/audio.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/dynamic_part.h"
#include "codec/codec.h"
#include "tests/support/fake_audio_model.h"

namespace vqc {
namespace {

std::vector<float> Sweep(size_t frames, int channels) {
  std::vector<float> samples;
  for (size_t i = 0; i < frames; ++i) {
    for (int c = 0; c < channels; ++c) {
      const double t = static_cast<double>(i) / 3000;
      samples.push_back(static_cast<float>(0.5 * std::sin(t + 0.3 * t * t * 0.01 + c)));
    }
  }
  return samples;
}

std::vector<uint8_t> Encode(const Bundle& bundle, const std::vector<float>& samples, int rate, int channels,
                            size_t piece, const AudioOptions& options = {}, AudioCounts* counts = nullptr) {
  auto encoder = AudioEncoder::Create(bundle, rate, channels, options);
  EXPECT_TRUE(encoder.ok()) << encoder.error().message;
  if (!encoder.ok()) return {};
  std::vector<uint8_t> all;
  const auto append = [&](const Result<std::vector<uint8_t>>& bytes) {
    EXPECT_TRUE(bytes.ok()) << bytes.error().message;
    if (bytes.ok()) all.insert(all.end(), bytes->begin(), bytes->end());
  };
  piece *= static_cast<size_t>(channels);
  for (size_t at = 0; at < samples.size(); at += piece) {
    append(encoder->Push(std::span(samples).subspan(at, std::min(piece, samples.size() - at))));
  }
  append(encoder->Finish());
  EXPECT_EQ(encoder->Counts().frames, samples.size() / static_cast<size_t>(channels));
  EXPECT_EQ(encoder->Counts().bytes, all.size());
  if (counts) *counts = encoder->Counts();
  return all;
}

Result<std::vector<float>> Decode(const Bundle& bundle, const Stream& stream, uint32_t chunk_frames = 0,
                                  bool gather = false) {
  std::vector<float> samples;
  size_t largest = 0;
  const auto sink = [&](std::span<const float> piece) -> Status {
    largest = std::max(largest, piece.size());
    samples.insert(samples.end(), piece.begin(), piece.end());
    return {};
  };
  VQC_ASSIGN(auto decoder, AudioDecoder::Create(stream.header,
                                                chunk_frames ? chunk_frames : ChunkFramesOf(stream), bundle));
  if (gather) decoder.Gather();
  for (const Chunk& chunk : stream.chunks) VQC_TRY(decoder.Push(chunk, sink));
  VQC_TRY(decoder.Finish(sink));
  EXPECT_LE(largest, 1u << 20);
  return samples;
}

bool HaveResampling() { return LoadPart("vqcodec_audio", "vqc_audio_part").ok(); }

TEST(Audio, EveryLengthComesBackHoweverItIsCut) {
  const Bundle bundle = FakeAudioBundle();
  for (const size_t frames : {size_t{0}, size_t{1}, size_t{319}, size_t{320}, size_t{321}, size_t{24000},
                              size_t{24001}, size_t{960001}, size_t{1500000}}) {
    for (const int channels : {1, 2}) {
      if (frames > 1000000 && channels == 2) continue;
      const auto samples = Sweep(frames, channels);
      const auto whole = Encode(bundle, samples, 24000, channels, frames + 1);
      for (const size_t piece : {size_t{1}, size_t{7}, size_t{4801}}) {
        if (piece < 1000 && frames > 30000) continue;
        EXPECT_EQ(Encode(bundle, samples, 24000, channels, piece), whole) << frames << " in " << piece;
      }
      const auto stream = ReadStream(whole, {});
      ASSERT_TRUE(stream.ok()) << stream.error().message;
      EXPECT_EQ(stream->header.rate, 24000);
      EXPECT_EQ(stream->header.channels, static_cast<uint32_t>(channels));
      const auto back = Decode(bundle, *stream);
      ASSERT_TRUE(back.ok()) << back.error().message;
      ASSERT_EQ(back->size(), samples.size());
      EXPECT_EQ(*Decode(bundle, *stream, 0, true), *back);
      double most = 0;  // of the means of 320 samples of a slow sweep
      for (size_t i = 0; i < samples.size(); ++i)
        most = std::max<double>(most, std::abs(samples[i] - (*back)[i]));
      EXPECT_LT(most, frames % 320 > 0 ? 0.6 : 0.1);
    }
  }
}

TEST(Audio, AnyRateComesBackWithItsLength) {
  if (!HaveResampling()) GTEST_SKIP() << "the sound part was not built";
  const Bundle bundle = FakeAudioBundle();
  for (const int rate : {8000, 11025, 16000, 22050, 44100, 44101, 48000, 192000}) {
    for (const size_t frames : {size_t{1}, size_t{1000}, size_t{100001}}) {
      const auto samples = Sweep(frames, 1);
      const auto bytes = Encode(bundle, samples, rate, 1, 997);
      EXPECT_EQ(bytes, Encode(bundle, samples, rate, 1, 50000));
      const auto stream = ReadStream(bytes, {});
      ASSERT_TRUE(stream.ok()) << stream.error().message;
      EXPECT_EQ(stream->header.rate, rate);
      const auto back = Decode(bundle, *stream);
      ASSERT_TRUE(back.ok()) << back.error().message;
      EXPECT_EQ(back->size(), frames) << rate;
    }
  }
}

TEST(Audio, EightChannelsStayApart) {
  const Bundle bundle = FakeAudioBundle();
  std::vector<float> samples;
  for (int i = 0; i < 6400; ++i) {
    for (int c = 0; c < 8; ++c) samples.push_back(static_cast<float>(c) / 8 - 0.5f);
  }
  const auto back = Decode(bundle, *ReadStream(Encode(bundle, samples, 24000, 8, 100), {}));
  ASSERT_TRUE(back.ok());
  for (size_t i = 0; i < samples.size(); ++i) ASSERT_NEAR((*back)[i], samples[i], 0.01);
}

TEST(Audio, OverheadIsBoundedAtEveryLength) {
  const Bundle bundle = FakeAudioBundle();  // 600 bits a second: chunks of 27 s
  const auto cut = CutOf(*GridOf(bundle), 24000, 1, 2, 0);
  ASSERT_TRUE(cut.ok());
  EXPECT_EQ(cut->frames, cut->units * 320u);
  EXPECT_GE(cut->units, 2000u);
  // Steps that take all bits, and steps of a few heights, of which coding takes off a third.
  for (const uint32_t heights : {1u << 24, 6u}) {
    for (const double chunks : {0.01, 0.2, 0.99, 1.01, 1.99, 2.01, 3.0, 3.001, 7.5}) {
      if (heights < 100 && chunks < 2) continue;
      std::vector<float> samples(static_cast<size_t>(chunks * cut->frames));
      uint32_t random = 1;
      for (size_t i = 0; i < samples.size(); ++i) {
        if (i % 320 == 0) random = random * 1664525u + 1013904223u;
        const uint32_t height = (random >> 8) / ((1u << 24) / heights);
        samples[i] = static_cast<float>(2.0 * height / heights - 1);
      }
      AudioCounts counts;
      const auto bytes = Encode(bundle, samples, 24000, 1, 10000, {.frames = samples.size()}, &counts);
      const auto payload = static_cast<double>(counts.payload_bytes);
      if (heights < 100) {
        EXPECT_LT(payload, 0.75 * 600 / 8 * static_cast<double>(samples.size()) / 24000);
      }
      EXPECT_LE(static_cast<double>(bytes.size()) - payload, 32 + 0.02 * payload) << chunks;
      const auto back = Decode(bundle, *ReadStream(bytes, {}));
      EXPECT_EQ(back->size(), samples.size());
    }
  }
}

TEST(Audio, LevelsAreDroppedFromAFileAsIfTheyHadNotBeenEncoded) {
  const Bundle bundle = FakeAudioBundle();
  for (const int channels : {1, 3}) {
    for (const size_t frames : {size_t{5000}, size_t{1600000}}) {
      const auto samples = Sweep(frames, channels);
      const auto full = ReadStream(Encode(bundle, samples, 24000, channels, 5000), {});
      ASSERT_TRUE(full.ok());
      const auto dropped = DropLevels(*full, 1, bundle, {});
      ASSERT_TRUE(dropped.ok()) << dropped.error().message;
      EXPECT_EQ(*WriteStream(*dropped),
                Encode(bundle, samples, 24000, channels, 5000, {.levels = 1, .frames = frames}));
      EXPECT_EQ(dropped->header.levels, 1u);
      const auto back = Decode(bundle, *dropped);
      ASSERT_TRUE(back.ok());
      EXPECT_EQ(back->size(), samples.size());
      EXPECT_FALSE(DropLevels(*dropped, 2, bundle, {}).ok());
      if (frames > 100000 && channels == 1) break;
    }
  }
}

TEST(Audio, LostChunksKeepTheLengthAndAreNoLouder) {
  const Bundle bundle = FakeAudioBundle();
  const auto samples = Sweep(200000, 2);
  const auto bytes = Encode(bundle, samples, 24000, 2, 5000, {.chunk_seconds = 0.5});
  const auto whole = ReadStream(bytes, {});
  ASSERT_TRUE(whole.ok());
  ASSERT_GT(whole->chunks.size(), 10u);
  float peak = 0;
  for (const float sample : samples) peak = std::max(peak, std::abs(sample));
  for (const size_t lost : {size_t{0}, size_t{3}, size_t{8}}) {
    Stream stream = *whole;
    stream.chunks.erase(stream.chunks.begin() + static_cast<ptrdiff_t>(lost),
                        stream.chunks.begin() + static_cast<ptrdiff_t>(lost) + 2);
    const auto back = Decode(bundle, stream, 12000);
    ASSERT_TRUE(back.ok()) << back.error().message;
    ASSERT_EQ(back->size(), samples.size());
    for (const float sample : *back) ASSERT_LE(std::abs(sample), peak * 1.41f);
    // What was not lost is where it was.
    const auto sound = Decode(bundle, *whole);
    EXPECT_TRUE(std::equal(back->end() - 1000, back->end(), sound->end() - 1000));
  }
}

TEST(Audio, ALostEndKeepsTheLengthWhereItIsStated) {
  const Bundle bundle = FakeAudioBundle();
  for (const int channels : {1, 2}) {
    const auto samples = Sweep(100123, channels);
    const auto bytes =
        Encode(bundle, samples, 24000, channels, 5000, {.chunk_seconds = 0.5, .frames = 100123});
    const auto whole = ReadStream(bytes, {});
    ASSERT_TRUE(whole.ok()) << whole.error().message;
    EXPECT_EQ(whole->header.frames, 100123u);
    const auto sound = Decode(bundle, *whole);
    ASSERT_EQ(sound->size(), samples.size());
    float peak = 0;
    for (const float sample : samples) peak = std::max(peak, std::abs(sample));
    for (const size_t lost : {size_t{1}, size_t{3}, whole->chunks.size()}) {
      Stream stream = *whole;
      stream.chunks.resize(stream.chunks.size() - lost);
      const auto back = Decode(bundle, stream, 12160);
      ASSERT_TRUE(back.ok()) << back.error().message;
      ASSERT_EQ(back->size(), samples.size()) << lost;
      for (const float sample : *back) ASSERT_LE(std::abs(sample), peak * 1.41f);
      const auto kept = static_cast<ptrdiff_t>(stream.chunks.size() * 12160 * static_cast<size_t>(channels));
      EXPECT_TRUE(std::equal(back->begin(), back->begin() + kept, sound->begin()));
      // Without the statement the sound ends with what is there.
      stream.header.frames = 0;
      EXPECT_EQ(Decode(bundle, stream, 12160)->size(), static_cast<size_t>(kept));
    }
  }
}

TEST(Audio, AStatedLengthHasToBeRight) {
  const Bundle bundle = FakeAudioBundle();
  for (const uint64_t frames : {uint64_t{4999}, uint64_t{5001}}) {
    auto encoder = AudioEncoder::Create(bundle, 24000, 1, {.frames = frames});
    ASSERT_TRUE(encoder->Push(Sweep(5000, 1)).ok());
    const auto rest = encoder->Finish();
    ASSERT_FALSE(rest.ok());
    EXPECT_EQ(rest.error().code, ErrorCode::kInput);
  }
  // Of what no file can have, nothing is made up.
  Stream stream = *ReadStream(Encode(bundle, Sweep(50000, 1), 24000, 1, 5000), {});
  stream.header.frames = uint64_t{1} << 60;
  EXPECT_EQ(Decode(bundle, stream).error().code, ErrorCode::kLimit);
}

TEST(Audio, LiveChunksLeaveAtOnce) {
  const Bundle bundle = FakeAudioBundle();
  auto encoder = AudioEncoder::Create(bundle, 24000, 1, {.chunk_seconds = 0.0266, .live = true});
  ASSERT_TRUE(encoder.ok());
  EXPECT_EQ(encoder->Cut().units, 2u);
  const auto first = encoder->Push(std::vector<float>(640, 0.25f));
  ASSERT_TRUE(first.ok());
  EXPECT_GT(first->size(), 20u);
  EXPECT_TRUE(encoder->Push(std::vector<float>(639, 0.25f))->empty());
  EXPECT_FALSE(encoder->Push(std::vector<float>(1, 0.25f))->empty());
}

// What fills the last token is no sound, also where that makes the last chunk full.
TEST(Audio, LiveStreamsKeepTheirLength) {
  const Bundle bundle = FakeAudioBundle();
  for (const size_t frames : {size_t{1}, size_t{600}, size_t{640}, size_t{641}, size_t{1279}, size_t{1280}}) {
    for (const uint64_t stated : {uint64_t{0}, uint64_t{frames}}) {
      const auto samples = Sweep(frames, 1);
      const auto bytes =
          Encode(bundle, samples, 24000, 1, 100, {.chunk_seconds = 0.0266, .frames = stated, .live = true});
      const auto stream = ReadStream(bytes, {});
      ASSERT_TRUE(stream.ok()) << stream.error().message;
      EXPECT_EQ(Decode(bundle, *stream, 640)->size(), frames);
    }
  }
}

TEST(Audio, RefusesWithReasons) {
  const Bundle bundle = FakeAudioBundle();
  EXPECT_EQ(AudioEncoder::Create(bundle, 24000, 256).error().code, ErrorCode::kUsage);
  EXPECT_EQ(AudioEncoder::Create(bundle, 0, 1).error().code, ErrorCode::kUsage);
  EXPECT_EQ(AudioEncoder::Create(bundle, 24000, 1, {.levels = 3}).error().code, ErrorCode::kUsage);
  const auto samples = Sweep(50000, 1);
  Stream stream = *ReadStream(Encode(bundle, samples, 24000, 1, 5000), {});
  stream.chunks[0].token_crc ^= 1;
  EXPECT_EQ(Decode(bundle, stream).error().code, ErrorCode::kCorruptData);
  stream.chunks[0].token_crc ^= 1;
  stream.header.model_key[0] ^= 1;
  EXPECT_EQ(Decode(bundle, stream).error().code, ErrorCode::kModel);
  stream.header.model_key[0] ^= 1;
  stream.header.levels = 5;
  EXPECT_EQ(Decode(bundle, stream).error().code, ErrorCode::kCorruptData);
  // A gap of years is not filled.
  stream.header.levels = 0;
  stream.chunks[0].first_frame = uint64_t{1} << 60;
  EXPECT_EQ(Decode(bundle, stream).error().code, ErrorCode::kLimit);
}

TEST(Audio, TokensAreReadWithoutTheNetwork) {
  const Bundle bundle = FakeAudioBundle();
  const Stream stream = *ReadStream(Encode(bundle, Sweep(6400, 2), 24000, 2, 5000), {});
  Bundle prior = bundle;
  prior.tokenizer = nullptr;
  const auto tokens = ReadTokens(stream, stream.chunks[0], prior, {});
  ASSERT_TRUE(tokens.ok()) << tokens.error().message;
  EXPECT_EQ(tokens->shape, (TokenShape{2, 1, 2, 20}));
}

}  // namespace
}  // namespace vqc
