// SPDX-License-Identifier: Apache-2.0
// EnCodec of segments (48 kHz) against EnCodec's own program, by the golden of tests/oracle/encodec.py
// --48khz.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>

#include "tests/tokenizers/imported_tokenizer.h"
#include "tokenizers/audio/stream_tokenizer.h"

namespace vqc {
namespace {

using testing::Example;

class ImportedSegments : public ::testing::Test, protected testing::ImportedTokenizer {
 protected:
  void SetUp() override { Import("encodec_48khz"); }

  // Of the first frames of the golden's sound, or of its left channel.
  Clip Sound(size_t frames, int channels = 2) const {
    Clip clip;
    clip.modality = Modality::kAudio;
    clip.frames = static_cast<int>(frames);
    clip.channels = channels;
    clip.rate = tokenizer_->Info().rate;
    for (size_t i = 0; i < frames; ++i) {
      for (size_t c = 0; c < static_cast<size_t>(channels); ++c)
        clip.data.push_back(example_.input[2 * i + c]);
    }
    return clip;
  }
  size_t Frames() const { return example_.input.size() / 2; }
  Tokens TokensOf(const Clip& clip) const { return tokenizer_->Encode({&clip, 1})->front(); }
  std::vector<float> Decoded(const Tokens& tokens) const {
    const auto session = *tokenizer_->NewDecodeSession();
    auto samples = *session->Push(tokens);
    const auto rest = *session->Flush();
    samples.insert(samples.end(), rest.begin(), rest.end());
    return samples;
  }
};

TEST_F(ImportedSegments, LatentsAreThoseOfTheReference) {
  const nn::Weights weights = Weights();
  const auto parts = MakeEncodec(card_.config["network"], weights);
  ASSERT_TRUE(parts.ok()) << parts.error().message;
  EXPECT_EQ(ConfigOf(*parts), card_.config);
  std::vector<float> latents;
  size_t index = 0;
  for (size_t at = 0; at < Frames(); at += static_cast<size_t>(parts->segments.hop), ++index) {
    const size_t end = std::min(Frames(), at + static_cast<size_t>(parts->segments.samples));
    std::vector<float> x(example_.input.begin() + static_cast<ptrdiff_t>(2 * at),
                         example_.input.begin() + static_cast<ptrdiff_t>(2 * end));
    for (float& sample : x) sample /= example_.scales[index];
    const auto state = parts->encoder->Start();
    const auto made = parts->encoder->Push(state.get(), x, true);
    latents.insert(latents.end(), made.begin(), made.end());
  }
  const double error = testing::RelativeError(example_.latents, latents);
  EXPECT_LT(error, 1e-4);
  RecordProperty("latent_error", std::to_string(error * 1e6) + "e-6");
}

TEST_F(ImportedSegments, IdsAndScalesAreThoseOfTheReference) {
  const Tokens tokens = TokensOf(Sound(Frames()));
  EXPECT_EQ(tokens.ids, example_.ids);
  ASSERT_EQ(tokens.segments.size(), example_.scales.size());
  for (size_t i = 0; i < tokens.segments.size(); ++i)
    EXPECT_NEAR(tokens.segments[i].scale / example_.scales[i], 1, 1e-6) << i;
  const auto whole = tokens.segments.front().times, before = tokens.segments.end()[-2].times;
  EXPECT_LT(tokens.segments.back().times, before);
  if (!std::getenv("VQCODEC_CHECKPOINTS")) {
    EXPECT_LT(before, whole) << "the last two are short";
  }
}

TEST_F(ImportedSegments, DecodedSoundIsThatOfTheReference) {
  Tokens tokens = TokensOf(Sound(Frames()));
  tokens.ids = example_.ids;
  for (size_t i = 0; i < example_.scales.size(); ++i) tokens.segments[i].scale = example_.scales[i];
  const double decibels = testing::Decibels(example_.decoded, Decoded(tokens));
  EXPECT_GT(decibels, 80);
  RecordProperty("decibels", std::to_string(decibels));
}

TEST_F(ImportedSegments, PiecesAndBatchesChangeNothing) {
  const Clip clip = Sound(Frames()), shorter = Sound(331);
  const Clip both[] = {clip, shorter, clip};
  const auto batch = *tokenizer_->Encode(both);
  EXPECT_EQ(batch[2], batch[0]);
  EXPECT_EQ(batch[1], TokensOf(shorter));
  const auto whole = Decoded(batch[0]);
  std::mt19937 random(3);
  for (int round = 0; round < 3; ++round) {
    const auto encoding = *tokenizer_->NewEncodeSession();
    const auto decoding = *tokenizer_->NewDecodeSession();
    Tokens all{{batch[0].shape.levels, 0, 1, 1}, batch[0].vocab, {}};
    std::vector<float> samples;
    const auto take = [&](const Tokens& tokens) {
      all.shape.t += tokens.shape.t;
      all.ids.insert(all.ids.end(), tokens.ids.begin(), tokens.ids.end());
      all.segments.insert(all.segments.end(), tokens.segments.begin(), tokens.segments.end());
      const auto made = *decoding->Push(tokens);
      samples.insert(samples.end(), made.begin(), made.end());
    };
    for (size_t at = 0; at < clip.data.size();) {
      const size_t count = std::min<size_t>(round == 0 ? 2 : 2 * (1 + random() % 97), clip.data.size() - at);
      take(*encoding->Push(std::span(clip.data).subspan(at, count)));
      at += count;
    }
    take(*encoding->Flush());
    const auto rest = *decoding->Flush();
    samples.insert(samples.end(), rest.begin(), rest.end());
    EXPECT_EQ(all, batch[0]);
    EXPECT_EQ(samples, whole);
  }
}

TEST_F(ImportedSegments, LatencyIsASegment) {
  const auto encoder = *tokenizer_->NewEncodeSession();
  const auto decoder = *tokenizer_->NewDecodeSession();
  size_t given = 0, behind = 0;
  for (size_t i = 0; i < Frames(); ++i) {
    behind = std::max(behind, i + 1 - given);
    const auto tokens = encoder->Push(std::span(example_.input).subspan(2 * i, 2));
    given += decoder->Push(*tokens)->size() / 2;
  }
  EXPECT_EQ(behind, static_cast<size_t>(tokenizer_->Info().latency));
}

TEST_F(ImportedSegments, ShortSoundsComeBack) {
  for (size_t frames = 1; frames < 400; ++frames) {
    const Clip clip = Sound(frames);
    const auto tokens = tokenizer_->Encode({&clip, 1});
    ASSERT_TRUE(tokens.ok()) << frames << ": " << tokens.error().message;
    const Tokenizer::Target target{.frames = clip.frames, .channels = 2};
    EXPECT_TRUE(tokenizer_->Decode(*tokens, {&target, 1}).ok()) << frames;
  }
}

// Both channels hear the only one, and it comes back as the mean of what they give.
TEST_F(ImportedSegments, ASoundOfOneChannelIsHeardTwice) {
  const Clip mono = Sound(300, 1);
  Clip stereo = Sound(300);
  for (size_t i = 0; i < stereo.data.size(); ++i) stereo.data[i] = mono.data[i / 2];
  const Tokens tokens = TokensOf(mono);
  EXPECT_EQ(tokens, TokensOf(stereo));
  const Tokenizer::Target one{.frames = 300, .channels = 1}, two{.frames = 300, .channels = 2};
  const auto single = tokenizer_->Decode({&tokens, 1}, {&one, 1});
  const auto both = tokenizer_->Decode({&tokens, 1}, {&two, 1});
  for (size_t i = 0; i < 300; ++i) {
    const auto& given = both->front().data;
    EXPECT_EQ(single->front().data[i], (given[2 * i] + given[2 * i + 1]) / 2);
  }
}

TEST_F(ImportedSegments, LostSegmentsAreSilent) {
  const Tokens tokens = TokensOf(Sound(Frames()));
  const auto hop = static_cast<size_t>(2 * tokenizer_->Info().segments.hop);
  const auto session = *tokenizer_->NewDecodeSession();
  const auto before = *session->Conceal(3);
  EXPECT_EQ(before, std::vector<float>(3 * hop, 0.0f));
  const auto after = *session->Push(tokens), rest = *session->Flush();
  EXPECT_EQ(after.size() + rest.size(), Decoded(tokens).size());
  for (const float sample : after) ASSERT_TRUE(std::isfinite(sample));
}

TEST_F(ImportedSegments, SegmentsAndScalesThatCannotBeAreRefused) {
  const Tokens good = TokensOf(Sound(Frames()));
  const auto refused = [&](const auto& change) {
    Tokens tokens = good;
    change(tokens.segments);
    const auto made = (*tokenizer_->NewDecodeSession())->Push(tokens);
    ASSERT_FALSE(made.ok());
    EXPECT_EQ(made.error().code, ErrorCode::kCorruptData);
  };
  for (const float scale : {0.0f, -1.0f, INFINITY, -INFINITY, NAN, 1e9f})
    refused([&](auto& segments) { segments[1].scale = scale; });
  refused([](auto& segments) { segments.clear(); });
  refused([](auto& segments) { segments.pop_back(); });
  refused([](auto& segments) { --segments[0].times, ++segments.back().times; });  // a short one in the midst
  refused([](auto& segments) { ++segments[0].times, --segments[1].times; });
  refused([](auto& segments) { segments.insert(segments.begin(), Segment{0, 1}); });
}

}  // namespace
}  // namespace vqc
