// SPDX-License-Identifier: Apache-2.0
// Public checkpoints of pictures by libtorch, against their own implementations (the goldens of tests/oracle)
// and against our own layers. VQC_DEVICE names another device than the CPU.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>
#include <thread>

#include "models/device.h"
#include "tests/tokenizers/picture_golden.h"
#include "tokenizers/core_tokenizers.h"
#include "tokenizers/image/whole_picture_tokenizer.h"
#include "tokenizers/tokenizers.h"

namespace vqc {
namespace {

using testing::PictureGolden;
using TokenizerPtr = std::shared_ptr<const Tokenizer>;

std::string Device() {
  const char* named = std::getenv("VQC_DEVICE");
  return named ? named : "cpu";
}

TokenizerPtr Make(const PictureGolden& golden, const NetworkOptions& options) {
  auto made = MakeTokenizer(golden.card, golden.tensors, options);
  EXPECT_TRUE(made.ok()) << made.error().message;
  return *made;
}

Clip RandomPicture(int channels, int height, int width) {
  static std::minstd_rand random(1);
  Clip clip;
  clip.channels = channels;
  clip.height = height;
  clip.width = width;
  for (size_t i = 0; i < clip.PlaneSize() * static_cast<size_t>(channels); ++i)
    clip.data.push_back(static_cast<float>(random() % 2001) / 1000 - 1);
  return clip;
}

Tokens TokensOf(const PictureGolden& golden, const Tokenizer& tokenizer) {
  return {tokenizer.ShapeOf(1, golden.clip.height, golden.clip.width), tokenizer.Info().vocab, golden.ids};
}

std::vector<float> Decoded(const Tokenizer& tokenizer, const Tokens& tokens,
                           const Tokenizer::Target& target) {
  auto clips = tokenizer.Decode({&tokens, 1}, {&target, 1});
  EXPECT_TRUE(clips.ok()) << clips.error().message;
  return clips->front().data;
}

// What was encoded together is what each picture gives alone, and in a part of the batch; so is what is
// decoded.
void ExpectTheSameInAnyBatch(const Tokenizer& tokenizer, const std::vector<Clip>& batch) {
  const auto together = tokenizer.Encode(batch);
  ASSERT_TRUE(together.ok()) << together.error().message;
  const size_t begin = batch.size() / 3, count = batch.size() / 4;
  const auto fewer = tokenizer.Encode(std::span(batch).subspan(begin, count));
  ASSERT_TRUE(fewer.ok()) << fewer.error().message;
  for (size_t i = 0; i < count; ++i) EXPECT_EQ((*fewer)[i], (*together)[begin + i]) << i;
  std::vector<Tokenizer::Target> targets;
  for (const Clip& clip : batch) targets.push_back({1, clip.channels, clip.height, clip.width});
  const auto decoded = tokenizer.Decode(*together, targets);
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  for (size_t i = 0; i < batch.size(); i += 1 + i / 16) {
    const auto alone = tokenizer.Encode({&batch[i], 1});
    ASSERT_TRUE(alone.ok()) << alone.error().message;
    EXPECT_EQ(alone->front(), (*together)[i]) << i;
    EXPECT_EQ(Decoded(tokenizer, (*together)[i], targets[i]), (*decoded)[i].data) << i;
  }
}

class WholePictures : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    golden_ = PictureGolden::Of(GetParam());
    whole_ = Make(golden_, {.device = Device(), .reference = true});
  }

  PictureGolden golden_;
  TokenizerPtr whole_;
};

TEST_P(WholePictures, IdsAndPictureAreThoseOfTheReference) {
  const auto tokens = whole_->Encode({&golden_.clip, 1});
  ASSERT_TRUE(tokens.ok()) << tokens.error().message;
  EXPECT_EQ(tokens->front(), TokensOf(golden_, *whole_));
  const auto decoded = Decoded(*whole_, tokens->front(), golden_.Target());
  const double decibels = testing::Decibels(golden_.decoded, decoded);
  EXPECT_GT(decibels, 80);
  RecordProperty("decibels", std::to_string(decibels));
}

// As on a GPU, but three at a time; sizes that are no multiples of a cell, grey pictures, and several
// threads.
TEST_P(WholePictures, BatchesGiveWhatEachPictureGives) {
  const auto made =
      MakeWholePictureTokenizer(golden_.card, golden_.tensors, {.device = Device(), .threads = 2}, 3);
  ASSERT_TRUE(made.ok()) << made.error().message;
  EXPECT_GE((*made)->Info().batch, 3);
  std::vector<Clip> batch;
  for (int i = 0; i < 9; ++i) {
    const int channels = i % 4 == 0 ? 1 : 3;
    batch.push_back(i % 3 == 1 ? RandomPicture(channels, 7 + i, 33) : RandomPicture(channels, 16, 16));
  }
  ExpectTheSameInAnyBatch(**made, batch);
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i)
    threads.emplace_back([&] {
      const auto tokens = (*made)->Encode({&golden_.clip, 1});
      ASSERT_TRUE(tokens.ok()) << tokens.error().message;
      EXPECT_EQ(tokens->front().ids, golden_.ids);
    });
  for (std::thread& thread : threads) thread.join();
}

TEST_P(WholePictures, IdsAreThoseOfOurOwnLayers) {
  const auto own = MakeCoreTokenizer(golden_.card, golden_.tensors);
  ASSERT_TRUE(own.ok()) << own.error().message;
  size_t same = 0, all = 0;
  for (const auto& [height, width] : {std::pair{1, 1}, {3, 20}, {31, 17}, {40, 40}}) {
    const Clip clip = RandomPicture(3, height, width);
    const auto expected = (*own)->Encode({&clip, 1}), found = whole_->Encode({&clip, 1});
    ASSERT_TRUE(found.ok()) << found.error().message;
    ASSERT_EQ(found->front().shape, expected->front().shape);
    for (size_t i = 0; i < expected->front().ids.size(); ++i)
      same += expected->front().ids[i] == found->front().ids[i];
    all += expected->front().ids.size();
    const Tokenizer::Target target{1, 3, height, width};
    EXPECT_GT(testing::Decibels(Decoded(**own, expected->front(), target),
                                Decoded(*whole_, expected->front(), target)),
              60);
  }
  EXPECT_GE(static_cast<double>(same), 0.99 * static_cast<double>(all));
}

TEST_P(WholePictures, Bfloat16IsCloseAndHasAProfileOfItsOwn) {
  const auto rough =
      Make(golden_, {.device = Device(), .precision = Precision::kBFloat16, .reference = true});
  EXPECT_NE(rough->Info().profile, whole_->Info().profile);
  EXPECT_NE(golden_.profile, whole_->Info().profile);
  ASSERT_TRUE(rough->Encode({&golden_.clip, 1}).ok());
  const Tokens tokens = TokensOf(golden_, *whole_);
  EXPECT_GT(testing::Decibels(golden_.decoded, Decoded(*rough, tokens, golden_.Target())), 15);
}

// libtorch looks for GPUs once, so nothing runs on the CPU before.
class WholePicturesOnAGpu : public ::testing::TestWithParam<const char*> {};

// More pictures of one size than a batch has places, in both types.
TEST_P(WholePicturesOnAGpu, IdsDoNotDependOnTheBatch) {
  if (const auto device = ResolveDevice("cuda"); !device.ok()) GTEST_SKIP() << device.error().message;
  const PictureGolden golden = PictureGolden::Of(GetParam());
  for (const Precision precision : {Precision::kFloat32, Precision::kBFloat16}) {
    const NetworkOptions options{.device = "cuda", .precision = precision};
    const auto tokenizer = Make(golden, options);
    EXPECT_EQ(tokenizer->Info().profile, Make(golden, options)->Info().profile);
    std::vector<Clip> batch;
    for (int i = 0; i < 75; ++i) {
      const int channels = i % 5 == 0 ? 1 : 3;
      batch.push_back(i % 7 == 3 ? RandomPicture(channels, 30 + i, 100) : RandomPicture(channels, 64, 48));
    }
    ExpectTheSameInAnyBatch(*tokenizer, batch);
    const auto tokens = tokenizer->Encode({&golden.clip, 1});
    ASSERT_TRUE(tokens.ok()) << tokens.error().message;
    const double decibels =
        testing::Decibels(golden.decoded, Decoded(*tokenizer, TokensOf(golden, *tokenizer), golden.Target()));
    if (precision == Precision::kFloat32) {
      EXPECT_EQ(tokens->front().ids, golden.ids);
    }
    EXPECT_GT(decibels, precision == Precision::kFloat32 ? 80 : 15);
  }
}

constexpr const char* kFamilies[] = {"vqgan", "vqmodel", "llamagen", "magvit2", "ibq", "cosmos"};
std::string NameOf(const ::testing::TestParamInfo<const char*>& test) { return test.param; }
INSTANTIATE_TEST_SUITE_P(Families, WholePictures, ::testing::ValuesIn(kFamilies), NameOf);
INSTANTIATE_TEST_SUITE_P(Families, WholePicturesOnAGpu, ::testing::ValuesIn(kFamilies), NameOf);

TEST(WholePictureErrors, WhatDoesNotFitIsRefused) {
  PictureGolden golden = PictureGolden::Of("vqgan");
  const auto whole = Make(golden, {.reference = true});
  const Tokens many{{1, 1, 300, 300}, {64}, std::vector<uint32_t>(90000)};
  const Tokenizer::Target target{.channels = 3, .height = 600, .width = 600};
  const auto large = whole->Decode({&many, 1}, {&target, 1});
  ASSERT_FALSE(large.ok());
  EXPECT_EQ(large.error().code, ErrorCode::kLimit);
  const auto rough = MakeTokenizer(golden.card, golden.tensors, {.precision = Precision::kBFloat16});
  ASSERT_FALSE(rough.ok());
  EXPECT_EQ(rough.error().code, ErrorCode::kUsage);
  const auto nowhere = MakeTokenizer(golden.card, golden.tensors, {.device = "cuda:99"});
  ASSERT_FALSE(nowhere.ok());
  EXPECT_EQ(nowhere.error().code, ErrorCode::kResource);

  auto views = golden.tensors.Tensors();
  views.erase("decoder.mid.attn_1.k.bias");
  golden.tensors = *SafeTensors::Parse(*WriteSafeTensors(views, {}), "golden");
  const auto half = Make(golden, {.reference = true});
  const Tokens tokens = TokensOf(golden, *half);
  const Tokenizer::Target small = golden.Target();
  const auto missing = half->Decode({&tokens, 1}, {&small, 1});
  ASSERT_FALSE(missing.ok());
  EXPECT_NE(missing.error().message.find("decoder.mid.attn_1.k.bias"), std::string::npos)
      << missing.error().message;
}

}  // namespace
}  // namespace vqc
