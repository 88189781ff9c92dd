// SPDX-License-Identifier: Apache-2.0
// Public checkpoints of sound against their own implementations, by the goldens of tests/oracle.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <random>

#include "tests/base/temp_folder.h"
#include "tests/tokenizers/imported_tokenizer.h"
#include "tokenizers/audio/stream_tokenizer.h"

namespace vqc {
namespace {

using testing::Example;

class ImportedSound : public ::testing::TestWithParam<const char*>, protected testing::ImportedTokenizer {
 protected:
  void SetUp() override { Import(GetParam()); }

  Clip Sound(std::vector<float> samples) const {
    Clip clip;
    clip.modality = Modality::kAudio;
    clip.frames = static_cast<int>(samples.size());
    clip.rate = tokenizer_->Info().rate;
    clip.data = std::move(samples);
    return clip;
  }
};

TEST_P(ImportedSound, LatentsAreThoseOfTheReference) {
  const nn::Weights weights = Weights();
  const std::map<std::string, decltype(&MakeEncodec)> makers = {{"encodec", &MakeEncodec},
                                                                {"dac", &MakeDac},
                                                                {"mimi", &MakeMimi},
                                                                {"snac", &MakeSnac},
                                                                {"wavtokenizer", &MakeWavTokenizer}};
  const auto parts = makers.at(card_.tokenizer)(card_.config["network"], weights);
  ASSERT_TRUE(parts.ok()) << parts.error().message;
  EXPECT_EQ(ConfigOf(*parts), card_.config);
  auto samples = example_.input;
  const auto stride = static_cast<size_t>(parts->stride);
  if (parts->fill_up) samples.resize((samples.size() + stride - 1) / stride * stride, 0.0f);
  const auto state = parts->encoder->Start();
  const auto latents = parts->encoder->Push(state.get(), samples, true);
  const double error = testing::RelativeError(example_.latents, latents);
  const bool published = std::getenv("VQCODEC_CHECKPOINTS") != nullptr;  // deeper, so that rounding grows
  EXPECT_LT(error, published ? 1e-4 : 1e-5);
  RecordProperty("latent_error", std::to_string(error * 1e6) + "e-6");
}

TEST_P(ImportedSound, IdsAreThoseOfTheReference) {
  const Clip clip = Sound(example_.input);
  const auto tokens = tokenizer_->Encode({&clip, 1});
  ASSERT_TRUE(tokens.ok()) << tokens.error().message;
  const auto& ids = tokens->front().ids;
  ASSERT_EQ(ids.size(), example_.ids.size());
  // A token may differ from an id on that was the closest by less than rounding.
  constexpr float kNearTie = 1e-4f;
  const size_t levels = tokens->front().shape.levels;
  size_t near_ties = 0, equal = 0;
  for (size_t row = 0; row < ids.size(); row += levels) {
    size_t level = 0;
    while (level < levels && ids[row + level] == example_.ids[row + level]) ++level;
    equal += level;
    if (level == levels) continue;
    ++near_ties;
    const float margin = example_.margins.empty() ? INFINITY : example_.margins[row + level];
    EXPECT_LT(margin, kNearTie) << "token " << row / levels << ", level " << level;
    RecordProperty("margin_" + std::to_string(near_ties), std::to_string(margin * 1e6f) + "e-6");
  }
  RecordProperty("ids", std::to_string(equal) + " of " + std::to_string(ids.size()) + " equal, " +
                            std::to_string(near_ties) + " near ties");
  EXPECT_EQ(tokens->front().shape.levels, tokenizer_->Info().vocab.size());
}

TEST_P(ImportedSound, DecodedSoundIsThatOfTheReference) {
  const auto levels = static_cast<uint32_t>(tokenizer_->Info().vocab.size());
  const auto times = static_cast<uint32_t>(example_.ids.size()) / levels;
  const Tokens tokens{{levels, times, 1, 1}, tokenizer_->Info().vocab, example_.ids};
  const Tokenizer::Target target{.frames = static_cast<int>(times) * tokenizer_->Info().stride,
                                 .channels = 1};
  const auto clips = tokenizer_->Decode({&tokens, 1}, {&target, 1});
  ASSERT_TRUE(clips.ok()) << clips.error().message;
  auto decoded = clips->front().data;
  ASSERT_GE(decoded.size(), example_.decoded.size());
  for (size_t i = example_.decoded.size(); i < decoded.size(); ++i) EXPECT_EQ(decoded[i], 0);
  decoded.resize(example_.decoded.size());
  const double decibels = testing::Decibels(example_.decoded, decoded);
  EXPECT_GT(decibels, 80);
  RecordProperty("decibels", std::to_string(decibels));
}

// Whole, in pieces and in a batch; the decoder as well.
TEST_P(ImportedSound, PiecesAndBatchesChangeNothing) {
  const Clip clip = Sound(example_.input),
             shorter = Sound({example_.input.begin(), example_.input.begin() + 331});
  const Clip both[] = {clip, shorter, clip};
  const auto batch = tokenizer_->Encode(both);
  ASSERT_TRUE(batch.ok());
  EXPECT_EQ((*batch)[2].ids, (*batch)[0].ids);
  EXPECT_EQ((*batch)[1].ids, tokenizer_->Encode({&shorter, 1})->front().ids);
  const Tokens& whole = batch->front();
  const Tokenizer::Target target{.frames = clip.frames, .channels = 1};
  const auto sound = tokenizer_->Decode({&whole, 1}, {&target, 1});
  ASSERT_TRUE(sound.ok());
  std::mt19937 random(3);
  for (int round = 0; round < 3; ++round) {
    const auto encoding = *tokenizer_->NewEncodeSession();
    const auto decoding = *tokenizer_->NewDecodeSession();
    std::vector<uint32_t> ids;
    std::vector<float> samples;
    const auto take = [&](const Tokens& tokens) {
      ids.insert(ids.end(), tokens.ids.begin(), tokens.ids.end());
      const auto made = *decoding->Push(tokens);
      samples.insert(samples.end(), made.begin(), made.end());
    };
    for (size_t at = 0; at < clip.data.size();) {
      const size_t count = std::min<size_t>(round == 0 ? 1 : random() % 97, clip.data.size() - at);
      take(*encoding->Push(std::span(clip.data).subspan(at, count)));
      at += count;
    }
    take(*encoding->Flush());
    const auto rest = *decoding->Flush();
    samples.insert(samples.end(), rest.begin(), rest.end());
    EXPECT_EQ(ids, whole.ids);
    EXPECT_EQ(samples.size(), whole.shape.t * static_cast<size_t>(tokenizer_->Info().stride));
    samples.resize(sound->front().data.size());
    EXPECT_EQ(samples, sound->front().data);
  }
}

// Long enough to be cut for them.
TEST_P(ImportedSound, ThreadsChangeNothing) {
  std::vector<float> samples;
  while (samples.size() < 40000) samples.insert(samples.end(), example_.input.begin(), example_.input.end());
  const Clip clip = Sound(std::move(samples));
  const Tokenizer::Target target{.frames = clip.frames, .channels = 1};
  const auto tokens = *tokenizer_->Encode({&clip, 1});
  const auto sound = *tokenizer_->Decode({tokens.data(), 1}, {&target, 1});
  const auto other = *MakeCoreTokenizer(card_, tensors_, 3);
  EXPECT_EQ((*other->Encode({&clip, 1})).front().ids, tokens.front().ids);
  EXPECT_EQ((*other->Decode({tokens.data(), 1}, {&target, 1})).front().data, sound.front().data);
}

TEST_P(ImportedSound, LostTokensKeepTheLength) {
  const Clip clip = Sound(example_.input);
  const Tokens tokens = tokenizer_->Encode({&clip, 1})->front();
  const auto stride = static_cast<size_t>(tokenizer_->Info().stride);
  const auto heard = [&](uint32_t before, uint32_t after) {
    const auto session = *tokenizer_->NewDecodeSession();
    auto samples = *session->Conceal(before);
    EXPECT_EQ(samples, std::vector<float>(before * stride, 0.0f)) << "nothing was heard to go on with";
    samples.clear();
    for (const auto& made : {*session->Push(tokens), *session->Conceal(after), *session->Flush()})
      samples.insert(samples.end(), made.begin(), made.end());
    return samples;
  };
  const auto samples = heard(3, 2), whole = heard(0, 2);
  ASSERT_EQ(samples.size(), (tokens.shape.t + 2) * stride);
  for (size_t i = 0; i < samples.size(); ++i)
    ASSERT_LE(std::abs(samples[i]), std::abs(whole[i])) << "it comes in slowly";
  EXPECT_LT(std::abs(samples[40]), 0.5f * std::abs(whole[40]));
}

TEST_P(ImportedSound, LatencyIsWhatInfoSays) {
  const auto encoder = *tokenizer_->NewEncodeSession();
  const auto decoder = *tokenizer_->NewDecodeSession();
  const auto count = static_cast<int64_t>(example_.input.size());
  int64_t given = 0, behind = 0;
  for (int64_t i = 0; i < count; ++i) {
    behind = std::max(behind, i + 1 - given);  // of the sample that is waited for
    const auto tokens = encoder->Push(std::span(example_.input).subspan(static_cast<size_t>(i), 1));
    given += static_cast<int64_t>(decoder->Push(*tokens)->size());
  }
  // A sound that is shorter than the latency comes out when it ends.
  EXPECT_EQ(behind, std::min<int64_t>(tokenizer_->Info().latency, count));
}

TEST_P(ImportedSound, ShortSoundsHaveATokenForEachStartedStride) {
  for (size_t length = 1; length < 40; ++length) {
    const Clip clip =
        Sound({example_.input.begin(), example_.input.begin() + static_cast<ptrdiff_t>(length)});
    const auto tokens = tokenizer_->Encode({&clip, 1});
    ASSERT_TRUE(tokens.ok()) << length << ": " << tokens.error().message;
    const Tokenizer::Target target{.frames = clip.frames, .channels = 1};
    EXPECT_TRUE(tokenizer_->Decode(*tokens, {&target, 1}).ok()) << length;
  }
}

INSTANTIATE_TEST_SUITE_P(Families, ImportedSound,
                         ::testing::Values("encodec", "encodec_32khz", "dac", "dac_odd", "dac_own", "mimi",
                                           "snac", "snac_attention", "wavtokenizer", "wavtokenizer_blocks"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace vqc
