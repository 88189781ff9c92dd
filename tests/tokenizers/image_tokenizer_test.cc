// SPDX-License-Identifier: Apache-2.0
// The image tokenizer with seeded random weights: ids are a function of the picture alone.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "models/device.h"
#include "models/image_autoencoder.h"
#include "models/weights.h"
#include "tokenizers/image/tiles.h"
#include "tokenizers/tokenizers.h"

namespace vqc {
namespace {

nlohmann::json Config(int tile) {
  return {{"network",
           {{"encoder", {{"widths", {16, 16, 24}}, {"blocks", {1, 1, 1}}}},
            {"decoder", {{"widths", {24, 16, 16}}, {"blocks", {1, 1, 1}}}}}},
          {"quantizer", {{"type", "fsq"}, {"levels", {8, 5, 5}}}},
          {"tile", tile}};
}

SafeTensors RandomWeights() {
  torch::manual_seed(5);
  const auto network = *ParseImageNetwork(Config(64)["network"]);
  ImageEncoder encoder(network, 3);
  ImageDecoder decoder(network, 3);
  TensorBag bag;
  for (auto& item : encoder->named_parameters()) bag.Add(item.key(), item.value(), DType::kF16);
  for (auto& item : decoder->named_parameters()) bag.Add(item.key(), item.value(), DType::kF16);
  return *SafeTensors::Parse(*WriteSafeTensors(bag.Views(), {}), "random");
}

std::shared_ptr<const Tokenizer> Make(int tile, int threads, const std::string& device = "cpu") {
  ModelCard card;
  card.tokenizer = "image";
  card.config = Config(tile);
  auto made = MakeTokenizer(card, RandomWeights(), {device, threads});
  EXPECT_TRUE(made.ok()) << made.error().message;
  return *made;
}

Clip RandomPicture(int channels, int height, int width) {
  Clip clip;
  clip.channels = channels;
  clip.height = height;
  clip.width = width;
  const auto noise = torch::rand({channels * height * width}) * 2 - 1;
  clip.data.assign(noise.data_ptr<float>(), noise.data_ptr<float>() + noise.numel());
  return clip;
}

Tokens EncodeOne(const Tokenizer& tokenizer, const Clip& clip) {
  auto tokens = tokenizer.Encode(std::span(&clip, 1));
  EXPECT_TRUE(tokens.ok()) << tokens.error().message;
  return tokens->front();
}

TEST(ImageTokenizer, OddSizesComeBackWithTheirSize) {
  const auto tokenizer = Make(64, 1);
  for (const auto& [height, width] : {std::pair{1, 1}, {1, 33}, {17, 16}, {129, 50}}) {
    for (const int channels : {1, 3}) {
      const Clip clip = RandomPicture(channels, height, width);
      const Tokens tokens = EncodeOne(*tokenizer, clip);
      EXPECT_EQ(tokens.shape.h, static_cast<uint32_t>((height + 15) / 16));
      EXPECT_EQ(tokens.shape.w, static_cast<uint32_t>((width + 15) / 16));
      const Tokenizer::Target target{1, channels, height, width};
      const auto back = tokenizer->Decode(std::span(&tokens, 1), std::span(&target, 1));
      ASSERT_TRUE(back.ok()) << back.error().message;
      EXPECT_EQ(back->front().data.size(), clip.data.size());
      for (const float v : back->front().data) ASSERT_TRUE(v >= -1 && v <= 1);
    }
  }
}

TEST(ImageTokenizer, IdsDoNotDependOnBatchOrThreads) {
  const auto one = Make(64, 1), three = Make(64, 3);
  const std::vector<Clip> batch = {RandomPicture(3, 200, 150), RandomPicture(3, 40, 300),
                                   RandomPicture(1, 100, 100)};
  const auto together = three->Encode(batch);
  ASSERT_TRUE(together.ok());
  for (size_t i = 0; i < batch.size(); ++i) {
    EXPECT_EQ((*together)[i], EncodeOne(*one, batch[i]));
    EXPECT_EQ((*together)[i], EncodeOne(*three, batch[i]));
  }
  EXPECT_EQ(one->Info().profile, three->Info().profile);
}

// More pictures of one size than a batch has places, other sizes between, pictures of several tiles, grey ones.
TEST(ImageTokenizer, IdsDoNotDependOnTheBatchOnAGpu) {
  if (const auto device = ResolveDevice("cuda"); !device.ok()) GTEST_SKIP() << device.error().message;
  const auto tokenizer = Make(128, 2, "cuda"), again = Make(128, 1, "cuda");
  EXPECT_EQ(tokenizer->Info().profile, again->Info().profile);
  ASSERT_GT(tokenizer->Info().batch, 1);
  std::vector<Clip> batch;
  for (int i = 0; i < 70; ++i) {
    const bool other = i % 7 == 3;
    batch.push_back(RandomPicture(i % 5 == 0 ? 1 : 3, other ? 300 + i : 128, other ? 200 : 128));
  }
  const auto together = tokenizer->Encode(batch);
  ASSERT_TRUE(together.ok()) << together.error().message;
  const auto fewer = again->Encode(std::span(batch).subspan(11, 20));
  ASSERT_TRUE(fewer.ok());
  for (size_t i = 0; i < 20; ++i) EXPECT_EQ((*fewer)[i], (*together)[11 + i]) << i;
  for (size_t i = 0; i < batch.size(); ++i) EXPECT_EQ((*together)[i], EncodeOne(*again, batch[i])) << i;
}

TEST(ImageTokenizer, TilesGiveWhatTheWholePictureGives) {
  const Clip clip = RandomPicture(3, 210, 330);
  const auto tiled = Make(64, 2), whole = Make(1024, 1);
  const Tokens a = EncodeOne(*tiled, clip), b = EncodeOne(*whole, clip);
  size_t different = 0;
  for (size_t i = 0; i < a.ids.size(); ++i) different += a.ids[i] != b.ids[i];
  // The same sums in kernels of another shape may round differently: near-ties only.
  EXPECT_LE(different, a.ids.size() / 100);

  const Tokenizer::Target target{1, 3, clip.height, clip.width};
  const auto x = tiled->Decode(std::span(&a, 1), std::span(&target, 1));
  const auto y = whole->Decode(std::span(&a, 1), std::span(&target, 1));
  ASSERT_TRUE(x.ok() && y.ok());
  float most = 0;
  for (size_t i = 0; i < x->front().data.size(); ++i) {
    most = std::max(most, std::abs(x->front().data[i] - y->front().data[i]));
  }
  EXPECT_LT(most, 1e-4f) << "a seam";
}

TEST(ImageTokenizer, NamesTheTensorThatIsMissingOrMisshapen) {
  ModelCard card;
  card.tokenizer = "image";
  card.config = Config(64);
  card.config["network"]["encoder"]["widths"] = {16, 16, 32};
  const auto misshapen = MakeTokenizer(card, RandomWeights(), {"cpu", 1});
  ASSERT_FALSE(misshapen.ok());
  EXPECT_EQ(misshapen.error().code, ErrorCode::kModel);
  EXPECT_NE(misshapen.error().message.find("encoder."), std::string::npos);
  card.config = Config(64);
  card.config["network"]["encoder"]["blocks"] = {2, 1, 1};
  const auto missing = MakeTokenizer(card, RandomWeights(), {"cpu", 1});
  ASSERT_FALSE(missing.ok());
  EXPECT_NE(missing.error().message.find("stage0_block1"), std::string::npos);
  card.tokenizer = "nothing";
  EXPECT_FALSE(MakeTokenizer(card, RandomWeights(), {"cpu", 1}).ok());
  card.tokenizer = "image";
  card.config = Config(64);
  EXPECT_FALSE(MakeTokenizer(card, RandomWeights(), {"tpu", 1}).ok());
}

TEST(Tiles, WhatHalosCostIsCounted) {
  EXPECT_EQ(RecomputedShare(10, 20, 32, 5), 0);               // one tile
  EXPECT_DOUBLE_EQ(RecomputedShare(8, 20, 10, 3), 6.0 / 20);  // two beside each other, 3 more each
}

TEST(Tiles, CoverEveryCellOnceAndKeepHalosInside) {
  for (int size = 1; size < 40; ++size) {
    int next = 0;
    for (const Span1d& s : PlanAxis(size, 7, 3)) {
      EXPECT_EQ(s.begin, next);
      EXPECT_EQ(s.halo_begin, std::max(0, s.begin - 3));
      EXPECT_EQ(s.halo_end, std::min(size, s.end + 3));
      next = s.end;
    }
    EXPECT_EQ(next, size);
  }
}

}  // namespace
}  // namespace vqc
