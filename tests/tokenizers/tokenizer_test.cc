// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/tokenizer.h"

#include <gtest/gtest.h>

#include <new>
#include <stdexcept>

#include "tests/support/fake_audio_tokenizer.h"
#include "tests/support/fake_tokenizer.h"
#include "tests/support/random_clip.h"

namespace vqc {
namespace {

// Breaks one promise of a tokenizer after another.
class BrokenTokenizer : public Tokenizer {
 public:
  enum Fault { kIdTooLarge, kWrongShape, kTooFewIds, kThrows, kNoMemory, kWrongSize };
  explicit BrokenTokenizer(Fault fault) : fault_(fault) { info_.vocab = {16}; }
  const TokenizerInfo& Info() const override { return info_; }
  TokenShape ShapeOf(int, int height, int width) const override {
    return ImageShape(1, 8, static_cast<uint32_t>(height), static_cast<uint32_t>(width));
  }

 private:
  Result<Encoding> DoEncode(const Clip& clip) const override {
    if (fault_ == kThrows) throw std::runtime_error("no such kernel\nat line 3");
    if (fault_ == kNoMemory) throw std::bad_alloc();
    Tokens tokens{ShapeOf(1, clip.height, clip.width), info_.vocab, {}};
    if (fault_ == kWrongShape) tokens.shape.h += 1;
    tokens.ids.assign(tokens.shape.Count() - (fault_ == kTooFewIds ? 1 : 0), fault_ == kIdTooLarge ? 16 : 15);
    return Encoding{std::move(tokens), {}};
  }
  Result<Clip> DoDecode(const Tokens&, const Target&) const override { return RandomImage(3, 1, 1); }

  Fault fault_;
  TokenizerInfo info_;
};

ErrorCode FaultOf(BrokenTokenizer::Fault fault) {
  const Clip clip = RandomImage(3, 20, 20);
  return BrokenTokenizer(fault).Encode({&clip, 1}).error().code;
}

TEST(Tokenizer, WhatANetworkGivesIsChecked) {
  EXPECT_EQ(FaultOf(BrokenTokenizer::kIdTooLarge), ErrorCode::kInternal);
  EXPECT_EQ(FaultOf(BrokenTokenizer::kWrongShape), ErrorCode::kInternal);
  EXPECT_EQ(FaultOf(BrokenTokenizer::kTooFewIds), ErrorCode::kInternal);
  EXPECT_EQ(FaultOf(BrokenTokenizer::kThrows), ErrorCode::kInternal);
  EXPECT_EQ(FaultOf(BrokenTokenizer::kNoMemory), ErrorCode::kResource);
  const BrokenTokenizer broken(BrokenTokenizer::kWrongSize);
  const Tokens tokens{{1, 1, 3, 3}, {16}, std::vector<uint32_t>(9)};
  const Tokenizer::Target target{1, 3, 20, 20};
  EXPECT_EQ(broken.Decode({&tokens, 1}, {&target, 1}).error().code, ErrorCode::kInternal);
}

TEST(Tokenizer, ClipsThatItCannotTakeAreRefused) {
  const FakeTokenizer tokenizer;
  Clip alpha = RandomImage(4, 8, 8), empty = RandomImage(3, 8, 8), cut = empty, odd = empty;
  empty.height = 0;
  cut.data.pop_back();
  odd.modality = Modality::kAudio;
  for (const Clip& clip : {alpha, empty, cut, odd}) EXPECT_FALSE(tokenizer.Encode({&clip, 1}).ok());
}

TEST(Tokenizer, TokensThatItCannotHaveMadeAreRefused) {
  const FakeTokenizer tokenizer;
  const Clip clip = RandomImage(3, 16, 24);
  const Tokens good = tokenizer.Encode({&clip, 1})->front();
  const Tokenizer::Target target{1, 3, 16, 24};
  EXPECT_TRUE(tokenizer.Decode({&good, 1}, {&target, 1}).ok());
  Tokens large = good, shape = good, vocab = good, few = good;
  large.ids.back() = 512;
  shape.shape.w = 2;
  vocab.vocab = {1024};
  few.ids.pop_back();
  for (const Tokens& tokens : {large, shape, vocab, few}) {
    const auto decoded = tokenizer.Decode({&tokens, 1}, {&target, 1});
    ASSERT_FALSE(decoded.ok());
    EXPECT_EQ(decoded.error().code, ErrorCode::kCorruptData);
  }
  EXPECT_FALSE(tokenizer.Decode({&good, 1}, {}).ok());
}

TEST(Outline, IsWhatTheCardStates) {
  ModelCard card;
  card.config = {{"stride", 16}, {"receptive_field", 100}, {"tile", 512}, {"halo", 48}, {"vocab", {1024, 7}}};
  const auto outline = OutlineOf(card);
  ASSERT_TRUE(outline);
  EXPECT_EQ(outline->stride, 16);
  EXPECT_EQ(outline->receptive_field, 100);
  EXPECT_EQ(outline->tile, 512);
  EXPECT_EQ(outline->halo, 48);
  EXPECT_EQ(outline->vocab, (std::vector<uint32_t>{1024, 7}));
}

TEST(Outline, VocabularyIsThatOfTheFactorsWhereItIsNotStated) {
  ModelCard card;
  card.factors = {{8, 8, 5}, {2}};
  EXPECT_EQ(VocabOf(card), (std::vector<uint32_t>{320, 2}));
  card.factors = {{8, 8}, {}};  // a generic split: any vocabulary
  EXPECT_TRUE(VocabOf(card).empty());
  card.factors = {{1u << 20, 1u << 20, 1u << 20, 1u << 20}};
  EXPECT_TRUE(VocabOf(card).empty());
}

TEST(Outline, OfAbsurdCardsIsNotThere) {
  using Json = nlohmann::json;
  ModelCard card;
  card.factors = {{8}};
  card.config = {{"stride", 16}, {"tile", 512}};
  ASSERT_TRUE(OutlineOf(card));
  EXPECT_EQ(OutlineOf(card)->tile, 512);
  for (const Json& bad :
       {Json{{"stride", 0}}, Json{{"stride", "16"}}, Json::object(), Json{{"stride", 16}, {"halo", -3}},
        Json(nullptr), Json{{"stride", 16}, {"vocab", 8}}, Json{{"stride", 16}, {"vocab", {1}}},
        Json{{"stride", 16}, {"vocab", {-5}}}, Json{{"stride", 1e9}}}) {
    card.config = bad;
    EXPECT_FALSE(OutlineOf(card)) << bad;
  }
}

TEST(Outline, GridCoversEveryPixel) {
  EXPECT_EQ(ImageShape(2, 16, 1, 1), (TokenShape{2, 1, 1, 1}));
  EXPECT_EQ(ImageShape(1, 16, 512, 769), (TokenShape{1, 1, 32, 49}));
  EXPECT_EQ(ImageShape(1, 16, UINT32_MAX, 16).h, 1u << 28);
}

TEST(Tokenizer, SoundIsDecodedFromItsFirstLevels) {
  const FakeAudioTokenizer tokenizer;
  Clip clip;
  clip.modality = Modality::kAudio;
  clip.frames = 1000;
  clip.rate = 24000;
  clip.data.assign(1000, 0.3f);
  const auto tokens = tokenizer.Encode({&clip, 1});
  ASSERT_TRUE(tokens.ok()) << tokens.error().message;
  EXPECT_EQ(tokens->front().shape, (TokenShape{2, 4, 1, 1}));
  Tokens coarse{{1, 4, 1, 1}, {16}, {}};
  for (size_t i = 0; i < 8; i += 2) coarse.ids.push_back(tokens->front().ids[i]);
  const Tokenizer::Target target{1000, 1, 1, 1};
  const auto whole = tokenizer.Decode(*tokens, {&target, 1}),
             part = tokenizer.Decode({&coarse, 1}, {&target, 1});
  ASSERT_TRUE(whole.ok() && part.ok());
  EXPECT_NEAR(whole->front().data[0], 0.3, 0.005);
  EXPECT_NEAR(part->front().data[0], 0.3, 0.07);
  coarse.vocab = {17};
  EXPECT_EQ(tokenizer.Decode({&coarse, 1}, {&target, 1}).error().code, ErrorCode::kCorruptData);
}

TEST(Tokenizer, PicturesHaveNoSessions) {
  EXPECT_EQ(FakeTokenizer().NewEncodeSession().error().code, ErrorCode::kUsage);
  EXPECT_EQ(FakeTokenizer().NewDecodeSession().error().code, ErrorCode::kUsage);
}

}  // namespace
}  // namespace vqc
