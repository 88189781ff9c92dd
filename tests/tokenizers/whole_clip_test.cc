// SPDX-License-Identifier: Apache-2.0
// Public checkpoints of sound on whole clips by libtorch, against their own implementations (the goldens of
// tests/oracle) and against the same networks piece by piece. VQC_DEVICE names another device than the CPU.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <thread>

#include "tests/tokenizers/checkpoint.h"
#include "tokenizers/audio/whole_clip_tokenizer.h"
#include "tokenizers/core_tokenizers.h"
#include "tokenizers/import_model.h"
#include "tokenizers/tokenizers.h"

namespace vqc {
namespace {

using testing::Example;

std::string Device() {
  const char* named = std::getenv("VQC_DEVICE");
  return named ? named : "cpu";
}

struct Imported {
  ModelCard card;
  SafeTensors tensors;
  Example example;

  static Imported Of(const std::string& family) {
    const std::string folder = testing::CheckpointFolder(family);
    auto imported = ImportModel(folder, "golden");
    EXPECT_TRUE(imported.ok()) << imported.error().message;
    auto bytes = WriteSafeTensors(ViewsOf(imported->tensors), {});
    EXPECT_TRUE(bytes.ok());
    return {imported->card, *SafeTensors::Parse(*std::move(bytes), "golden"), Example::Of(folder)};
  }
  std::shared_ptr<const Tokenizer> Make(const NetworkOptions& options) const {
    auto made = MakeTokenizer(card, tensors, options);
    EXPECT_TRUE(made.ok()) << made.error().message;
    return *made;
  }
  std::shared_ptr<const Tokenizer> Whole(Precision precision = Precision::kFloat32) const {
    return Make({.device = Device(), .precision = precision, .reference = true});
  }
};

Clip SoundOf(std::vector<float> samples, const Tokenizer& tokenizer) {
  Clip clip;
  clip.modality = Modality::kAudio;
  clip.frames = static_cast<int>(samples.size());
  clip.rate = tokenizer.Info().rate;
  clip.data = std::move(samples);
  return clip;
}

Tokens TokensOf(const Example& example, const Tokenizer& tokenizer) {
  const auto levels = static_cast<uint32_t>(tokenizer.Info().vocab.size());
  return {{levels, static_cast<uint32_t>(example.ids.size()) / levels, 1, 1},
          tokenizer.Info().vocab,
          example.ids};
}

class WholeClips : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    model_ = Imported::Of(GetParam());
    whole_ = model_.Whole();
  }
  // The golden of blocks is what the reference makes of each block.
  bool InBlocks() const { return std::string(GetParam()) == "wavtokenizer_blocks"; }

  Imported model_;
  std::shared_ptr<const Tokenizer> whole_;
};

TEST_P(WholeClips, IdsAreThoseOfTheReference) {
  const Clip clip = SoundOf(model_.example.input, *whole_);
  const auto tokens = whole_->Encode({&clip, 1});
  ASSERT_TRUE(tokens.ok()) << tokens.error().message;
  EXPECT_EQ(tokens->front().ids, model_.example.ids);
}

TEST_P(WholeClips, DecodedSoundIsThatOfTheReference) {
  const Tokens tokens = TokensOf(model_.example, *whole_);
  const Tokenizer::Target target{.frames = static_cast<int>(model_.example.decoded.size()), .channels = 1};
  const auto clips = whole_->Decode({&tokens, 1}, {&target, 1});
  ASSERT_TRUE(clips.ok()) << clips.error().message;
  const double decibels = testing::Decibels(model_.example.decoded, clips->front().data);
  if (InBlocks()) {
    EXPECT_LT(decibels, 60) << "the whole was seen";
    EXPECT_GT(decibels, 3);
  } else {
    EXPECT_GT(decibels, 80);
  }
  RecordProperty("decibels", std::to_string(decibels));
}

// As on a GPU, four at a time, and with calls of many threads together.
TEST_P(WholeClips, BatchesOfAnyLengthsGiveWhatEachClipGives) {
  const auto& input = model_.example.input;
  const auto made =
      MakeWholeClipTokenizer(model_.card, model_.tensors, {.device = Device(), .reference = true}, 4);
  ASSERT_TRUE(made.ok()) << made.error().message;
  const Tokenizer& tokenizer = **made;
  EXPECT_EQ(tokenizer.Info().batch, 4);
  std::vector<Clip> clips;
  for (const ptrdiff_t length : {500, 331, 500, 1, 37, 500, 500, 500})
    clips.push_back(SoundOf({input.end() - length, input.end()}, tokenizer));
  clips[2].data.front() = 0.5f;
  const auto batch = tokenizer.Encode(clips);
  ASSERT_TRUE(batch.ok()) << batch.error().message;
  std::vector<Tokenizer::Target> targets;
  for (const Clip& clip : clips) targets.push_back({.frames = clip.frames, .channels = 1});
  const auto decoded = tokenizer.Decode(*batch, targets);
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  std::vector<std::thread> threads;
  for (size_t i = 0; i < clips.size(); ++i) {
    threads.emplace_back([&, i] {
      const auto alone = tokenizer.Encode({&clips[i], 1});
      ASSERT_TRUE(alone.ok()) << alone.error().message;
      EXPECT_EQ(alone->front().ids, (*batch)[i].ids);
      EXPECT_EQ(tokenizer.Decode(*alone, {&targets[i], 1})->front().data, (*decoded)[i].data);
    });
  }
  for (std::thread& thread : threads) thread.join();
  const Clip whole = SoundOf(input, tokenizer);
  EXPECT_EQ(tokenizer.Encode({&whole, 1})->front().ids, model_.example.ids);
}

// Of many lengths, those shorter than what is taken in reverse among them.
TEST_P(WholeClips, IdsAreThoseOfThePieces) {
  const auto pieces = MakeCoreTokenizer(model_.card, model_.tensors);
  ASSERT_TRUE(pieces.ok());
  size_t same = 0, all = 0;
  for (size_t length = 1; length < 130; length += 1 + length / 16) {
    const Clip clip =
        SoundOf({model_.example.input.begin(), model_.example.input.begin() + static_cast<ptrdiff_t>(length)},
                *whole_);
    const auto expected = (*pieces)->Encode({&clip, 1}), found = whole_->Encode({&clip, 1});
    ASSERT_TRUE(found.ok()) << length << ": " << found.error().message;
    ASSERT_EQ(found->front().shape, expected->front().shape) << length;
    for (size_t i = 0; i < expected->front().ids.size(); ++i)
      same += expected->front().ids[i] == found->front().ids[i];
    all += expected->front().ids.size();
    const Tokenizer::Target target{.frames = clip.frames, .channels = 1};
    const auto one = (*pieces)->Decode(*expected, {&target, 1}),
               other = whole_->Decode(*expected, {&target, 1});
    ASSERT_TRUE(other.ok()) << length << ": " << other.error().message;
    EXPECT_GT(testing::Decibels(one->front().data, other->front().data), 60) << length;
  }
  EXPECT_GE(static_cast<double>(same), 0.999 * static_cast<double>(all));
}

TEST_P(WholeClips, SessionsGatherTheWhole) {
  const Clip clip = SoundOf(model_.example.input, *whole_);
  const auto encoding = *whole_->NewEncodeSession();
  const auto decoding = *whole_->NewDecodeSession();
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(encoding->Push(std::span(clip.data).first(100))->ids.size(), 0U);
    EXPECT_EQ(encoding->Push(std::span(clip.data).subspan(100))->ids.size(), 0U);
    const auto tokens = encoding->Flush();
    ASSERT_TRUE(tokens.ok()) << tokens.error().message;
    EXPECT_EQ(tokens->ids, whole_->Encode({&clip, 1})->front().ids);
    EXPECT_TRUE(decoding->Push(*tokens)->empty());
    const auto samples = decoding->Flush();
    ASSERT_TRUE(samples.ok()) << samples.error().message;
    ASSERT_EQ(samples->size(), tokens->shape.t * static_cast<size_t>(whole_->Info().stride));
    const Tokenizer::Target target{.frames = clip.frames, .channels = 1};
    const auto expected = whole_->Decode({&*tokens, 1}, {&target, 1})->front().data;
    EXPECT_TRUE(std::equal(expected.begin(), expected.end(), samples->begin()));
    EXPECT_TRUE(encoding->Flush()->ids.empty());
    EXPECT_TRUE(decoding->Flush()->empty());
  }
}

TEST_P(WholeClips, LostTokensKeepTheLengthAndFade) {
  const auto session = *whole_->NewDecodeSession();
  const Tokens tokens = TokensOf(model_.example, *whole_);
  const auto stride = static_cast<size_t>(whole_->Info().stride);
  EXPECT_EQ(*session->Conceal(2), std::vector<float>(2 * stride, 0.0f));
  EXPECT_TRUE(session->Push(tokens)->empty());
  EXPECT_TRUE(session->Conceal(40)->empty());
  const auto samples = session->Flush();
  ASSERT_TRUE(samples.ok()) << samples.error().message;
  ASSERT_EQ(samples->size(), (tokens.shape.t + 40) * stride);
  const auto lost = std::span(*samples).last(stride),
             heard = std::span(*samples).subspan(8 * stride, 8 * stride);
  EXPECT_LT(testing::Rms(lost), testing::Rms(heard));
}

TEST_P(WholeClips, Bfloat16IsCloseAndHasAProfileOfItsOwn) {
  const auto rough = model_.Whole(Precision::kBFloat16);
  const auto pieces = MakeCoreTokenizer(model_.card, model_.tensors);
  EXPECT_NE(rough->Info().profile, whole_->Info().profile);
  EXPECT_NE((*pieces)->Info().profile, whole_->Info().profile);
  const Clip clip = SoundOf(model_.example.input, *whole_);
  ASSERT_TRUE(rough->Encode({&clip, 1}).ok());
  const Tokens tokens = TokensOf(model_.example, *whole_);
  const Tokenizer::Target target{.frames = static_cast<int>(model_.example.decoded.size()), .channels = 1};
  const auto exact = whole_->Decode({&tokens, 1}, {&target, 1}),
             found = rough->Decode({&tokens, 1}, {&target, 1});
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_GT(testing::Decibels(exact->front().data, found->front().data), 15);
}

INSTANTIATE_TEST_SUITE_P(Families, WholeClips,
                         ::testing::Values("encodec", "encodec_32khz", "dac", "dac_odd", "dac_own", "mimi",
                                           "snac", "snac_attention", "wavtokenizer", "wavtokenizer_blocks"),
                         [](const auto& test) { return std::string(test.param); });

TEST(WholeClipErrors, WhatIsTooLongIsRefused) {
  const auto tokenizer = Imported::Of("encodec").Whole();
  const auto session = *tokenizer->NewEncodeSession();
  const std::vector<float> piece(1 << 22);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(session->Push(piece).ok());
  const auto refused = session->Push(std::span(piece).first(1));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kLimit);
  EXPECT_NE(refused.error().message.find("--reference"), std::string::npos) << refused.error().message;
}

TEST(WholeClipErrors, OptionsThatDoNotFitAreRefused) {
  const Imported model = Imported::Of("encodec");
  const auto rough = MakeTokenizer(model.card, model.tensors, {.precision = Precision::kBFloat16});
  ASSERT_FALSE(rough.ok());
  EXPECT_EQ(rough.error().code, ErrorCode::kUsage);
  const auto nowhere = MakeTokenizer(model.card, model.tensors, {.device = "cuda:99", .reference = true});
  ASSERT_FALSE(nowhere.ok());
  EXPECT_EQ(nowhere.error().code, ErrorCode::kResource);
  ModelCard other = model.card;
  other.tokenizer = "image";
  const auto one = MakeTokenizer(other, SafeTensors(), {.reference = true});
  ASSERT_FALSE(one.ok());
  EXPECT_EQ(one.error().code, ErrorCode::kUsage);
}

// A damaged or misshapen checkpoint is an error that names the tensor, as with our own layers.
TEST(WholeClipErrors, MissingTensorsAreNamed) {
  Imported model = Imported::Of("mimi");
  auto views = model.tensors.Tensors();
  views.erase("decoder_transformer.layers.1.mlp.fc2.weight");
  model.tensors = *SafeTensors::Parse(*WriteSafeTensors(views, {}), "golden");
  const auto tokenizer = model.Whole();
  const Tokens tokens = TokensOf(model.example, *tokenizer);
  const Tokenizer::Target target{.frames = 1000, .channels = 1};
  const auto refused = tokenizer->Decode({&tokens, 1}, {&target, 1});
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("fc2"), std::string::npos) << refused.error().message;
}

}  // namespace
}  // namespace vqc
