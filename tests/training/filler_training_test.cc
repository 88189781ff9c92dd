// SPDX-License-Identifier: Apache-2.0
// A filler is learned for a model's tokens, and salvage uses it: what is known stays, what is lost gets
// better than copies, whatever the threads.
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <random>

#include "base/file.h"
#include "codec/bundle.h"
#include "codec/concealer.h"
#include "codec/payload.h"
#include "entropy/conceal.h"
#include "models/store.h"
#include "tests/base/temp_folder.h"
#include "tests/support/random_clip.h"
#include "training/lost_tokens.h"
#include "training/train_filler.h"
#include "training/train_image.h"

namespace vqc {
namespace {

class FillerTraining : public ::testing::Test {
 protected:
  void SetUp() override {
    at::set_num_threads(1);  // tiny tensors: more threads only wait for each other
    std::string ppm = "P6\n160 144\n255\n";
    for (int y = 0; y < 144; ++y) {
      for (int x = 0; x < 160; ++x) {
        for (int c = 0; c < 3; ++c) ppm += static_cast<char>(Sample(x, y, c));
      }
    }
    testing::Put(folder_.Path("photos/a.ppm"), ppm);
    TrainImageOptions image;
    image.data = folder_.Path("photos");
    image.output = folder_.Path("model");
    image.config = {{"network",
                     {{"encoder", {{"widths", {16, 16}}, {"blocks", {0, 0}}}},
                      {"decoder", {{"widths", {16, 16}}, {"blocks", {1, 1}}}}}},
                    {"quantizer", {{"type", "fsq"}, {"levels", {5, 5, 5}}}}};
    image.device = "cpu";
    image.batch = 2;
    image.crop = 32;
    image.steps = 300;
    const Status trained = TrainImage(image);
    ASSERT_TRUE(trained.ok()) << trained.error().message;
  }

  static int Sample(int x, int y, int c) {
    return static_cast<int>(127 + 60 * std::sin(0.09 * x + c) + 60 * std::sin(0.07 * y));
  }
  static Clip Picture() {
    Clip clip = RandomImage(3, 96, 96);
    for (int c = 0; c < 3; ++c) {
      for (int y = 0; y < 96; ++y) {
        for (int x = 0; x < 96; ++x)
          clip.data[static_cast<size_t>((c * 96 + y) * 96 + x)] =
              static_cast<float>(Sample(x + 31, y + 17, c)) / 127.5f - 1;
      }
    }
    return clip;
  }

  TrainFillerOptions Options() const {
    TrainFillerOptions options;
    options.model = folder_.Path("model");
    options.data = folder_.Path("photos");
    options.device = "cpu";
    options.width = 16;
    options.blocks = 2;
    options.batch = 2;
    options.crop = 64;
    options.steps = 250;
    options.learning_rate = 0.01;
    return options;
  }

  Result<Bundle> Load(int threads) const {
    VQC_ASSIGN(const ModelEntry entry, FindModel(folder_.Path("model")));
    return LoadBundle(entry, {.device = "cpu", .threads = threads, .limits = {}});
  }

  testing::TempFolder folder_;
};

TEST_F(FillerTraining, LostTokensAreMadeUpByTheNetworkBeside) {
  const auto before = Load(1);
  ASSERT_TRUE(before.ok()) << before.error().message;
  EXPECT_FALSE(before->concealer);
  const Status trained = TrainFiller(Options());
  ASSERT_TRUE(trained.ok()) << trained.error().message;

  const Clip picture = Picture();
  const auto bundle = Load(1), threads = Load(4);
  ASSERT_TRUE(bundle.ok()) << bundle.error().message;
  ASSERT_TRUE(bundle->concealer);
  const Tokens tokens = bundle->tokenizer->Encode({&picture, 1})->front();
  SalvagedTokens salvaged{tokens, std::vector<uint8_t>(tokens.ids.size(), 1)};
  std::vector<uint8_t> lost(tokens.ids.size());
  std::mt19937 random(5);
  for (size_t i = 0; i < lost.size(); ++i) {
    if (random() % 4 != 0) continue;
    lost[i] = 1;
    salvaged.known[i] = 0;
    salvaged.tokens.ids[i] = 0;
  }
  const auto filled = FillUnknown(salvaged, *bundle);
  ASSERT_TRUE(filled.ok()) << filled.error().message;
  for (size_t i = 0; i < lost.size(); ++i) {
    ASSERT_LT(filled->ids[i], tokens.vocab[0]);
    if (!lost[i]) {
      ASSERT_EQ(filled->ids[i], tokens.ids[i]);
    }
  }
  EXPECT_EQ(*FillUnknown(salvaged, *threads), *filled);

  Tokens copies = tokens;
  RepeatNeighbours(copies, lost);
  const auto error = [&](const Tokens& of) {
    const Tokenizer::Target target{1, 3, picture.height, picture.width};
    const Clip decoded = bundle->tokenizer->Decode({&of, 1}, {&target, 1})->front();
    double sum = 0;
    for (size_t i = 0; i < picture.data.size(); ++i) sum += std::pow(decoded.data[i] - picture.data[i], 2);
    return sum;
  };
  EXPECT_LT(error(*filled), error(copies));
}

TEST_F(FillerTraining, AFillerOfAnotherModelOrDamagedIsRefused) {
  ASSERT_TRUE(TrainFiller(Options()).ok());
  const std::string path = folder_.Path("model/filler.safetensors");
  const auto bytes = ReadFile(path, 1 << 20);
  ASSERT_TRUE(bytes.ok());
  Tokens tokens{{1, 1, 8, 8}, {125}, std::vector<uint32_t>(64)};
  const std::vector<uint8_t> lost(64, 1);
  const auto refusal = [&](const std::string& changed) {
    testing::Put(path, changed);
    const auto bundle = Load(1);
    const Status status = bundle->concealer->Fill(tokens, lost);
    return status.ok() ? std::string("accepted") : status.error().message;
  };
  const std::string good(bytes->begin(), bytes->end());
  EXPECT_EQ(refusal(good), "accepted");
  std::string other = good;
  const size_t id = other.find("model_id\":\"") + 11;
  other[id] = other[id] == '0' ? '1' : '0';
  EXPECT_NE(refusal(other).find("another model"), std::string::npos) << refusal(other);
  EXPECT_NE(refusal(good.substr(0, good.size() - 7)).find("filler.safetensors"), std::string::npos);
  std::string wide = good;
  const std::string width = "\\\"width\\\":16";
  ASSERT_NE(wide.find(width), std::string::npos);
  wide.replace(wide.find(width), width.size(), "\\\"width\\\":17");
  EXPECT_NE(refusal(wide).find("filler.stem.weight"), std::string::npos) << refusal(wide);
}

TEST_F(FillerTraining, StepsGiveTheSameFileAgain) {
  ASSERT_TRUE(TrainFiller(Options()).ok());
  const auto first = ReadFile(folder_.Path("model/filler.safetensors"), 1 << 20);
  ASSERT_TRUE(TrainFiller(Options()).ok());
  EXPECT_EQ(*ReadFile(folder_.Path("model/filler.safetensors"), 1 << 20), *first);
}

TEST(LostTokens, OneByOneAndInRuns) {
  std::mt19937_64 random(1);
  const auto lost = RandomLosses(200, 16, 16, random);
  const auto share = lost.mean({1, 2, 3});
  const auto beside = (lost.slice(3, 1) * lost.slice(3, 0, 15)).mean({1, 2, 3});  // pairs that are both lost
  for (int64_t i = 0; i < 200; i += 2) {
    const double s = share[i].item<double>();
    EXPECT_LT(s, 0.55);
    EXPECT_NEAR(beside[i].item<double>(), s * s, 0.1) << "independent of one another";
  }
  const auto runs = torch::arange(1, 200, 2);
  const auto pairs = beside.index_select(0, runs), shares = share.index_select(0, runs);
  EXPECT_GT(shares.mean().item<double>(), 0.1);
  EXPECT_LT(shares.mean().item<double>(), 0.45);
  EXPECT_GT(pairs.mean().item<double>(), 0.8 * shares.mean().item<double>());
}

}  // namespace
}  // namespace vqc
