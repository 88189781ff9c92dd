// SPDX-License-Identifier: Apache-2.0
// Quantizers trained on rows of latents.
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "quantizers/quantizer.h"
#include "tests/base/temp_folder.h"
#include "training/train_quantizer.h"

namespace vqc {
namespace {

class QuantizerTraining : public ::testing::Test {
 protected:
  void SetUp() override {
    at::set_num_threads(1);
    torch::manual_seed(5);
    // 20 clusters of different sizes.
    const auto centres = torch::randn({20, 4}) * 2;
    const auto of = (torch::rand({3000}).pow(2) * 20).to(torch::kInt64);
    features_ = centres.index_select(0, of) + 0.1 * torch::randn({3000, 4});
  }

  static Rows RowsOf(const torch::Tensor& tensor) {
    return {tensor.const_data_ptr<float>(), tensor.size(0), tensor.size(1)};
  }
  TrainQuantizerOptions Options(const char* quantizer, int64_t steps) const {
    TrainQuantizerOptions options;
    options.quantizer = nlohmann::json::parse(quantizer);
    options.features = RowsOf(features_);
    options.device = "cpu";
    options.batch = 200;
    options.steps = steps;
    return options;
  }
  TrainedQuantizer Train(const TrainQuantizerOptions& options) {
    auto trained = TrainQuantizer(options);
    EXPECT_TRUE(trained.ok()) << trained.error().message;
    return trained.ok() ? *std::move(trained) : TrainedQuantizer();
  }

  testing::TempFolder folder_;
  torch::Tensor features_;
};

constexpr char kEma[] = R"({"type":"vq","entries":40,"dim":4,"update":"ema"})";

TEST_F(QuantizerTraining, EveryKindLearns) {
  const char* const kinds[] = {
      kEma,
      R"({"type":"vq","entries":40,"dim":4})",
      R"({"type":"cosine","entries":40,"dim":4})",
      R"({"type":"simvq","entries":40,"dim":4})",
      R"({"type":"vqgan_lc","entries":40,"dim":4,"features":4})",
      R"({"type":"vqbridge","entries":64,"dim":4,"hidden":16,"heads":2,"depth":1})",
      R"({"type":"ibq","entries":40,"dim":4})",
      R"({"type":"residual","levels":2,"quantizer":{"type":"vq","entries":16,"dim":4,"update":"ema"}})",
      R"({"type":"projected","dim":4,"quantizer":{"type":"fsq","levels":[5,5,5]}})",
      R"({"type":"projected","dim":4,"quantizer":{"type":"lfq","bits":5}})",
  };
  for (const char* kind : kinds) {
    SCOPED_TRACE(kind);
    auto options = Options(kind, 0);
    const auto unit = features_ / features_.norm(2, {1}, /*keepdim=*/true);
    if (options.quantizer["type"] == "cosine") options.features = RowsOf(unit);  // lengths are lost
    options.kmeans = false;
    options.steps = 1;
    const auto first = Train(options);
    options.steps = 200;
    options.learning_rate = 0.01;
    const auto trained = Train(options);
    EXPECT_EQ(trained.steps, 200);
    EXPECT_EQ(trained.tokens, 3000u);
    EXPECT_LT(trained.error, 0.95 * first.error);
    EXPECT_FALSE(trained.levels.empty());
    for (const auto& level : trained.levels) {
      EXPECT_EQ(level.tokens, 3000u);
      EXPECT_GT(level.used, 1u);
    }
    EXPECT_FALSE(trained.tensors.empty());
  }
}

TEST_F(QuantizerTraining, KmeansStartsWhatItCan) {
  auto options = Options(kEma, 1);
  const auto by_kmeans = Train(options);
  options.kmeans = false;
  const auto by_chance = Train(options);
  EXPECT_LT(by_kmeans.error, 0.3 * by_chance.error);
  EXPECT_LT(by_kmeans.relative_error, 0.05);
  ASSERT_EQ(by_kmeans.codebooks.size(), 1u);
  EXPECT_EQ(by_kmeans.codebooks[0].shape, (std::vector<int64_t>{40, 4}));

  const auto frozen = Train(Options(R"({"type":"vqgan_lc","entries":40,"dim":4,"features":4})", 1));
  EXPECT_LT(frozen.relative_error, 0.05) << "the frozen codebook is that of k-means, the projector fitted";
}

TEST_F(QuantizerTraining, WhatHasNothingToLearnIsMeasured) {
  const auto measured = Train(Options(R"({"type":"fsq","levels":[5,5,5,5]})", 100));
  EXPECT_EQ(measured.steps, 0);
  EXPECT_EQ(measured.levels.at(0).vocab, 625u);
  EXPECT_GT(measured.levels.at(0).used, 10u);
  EXPECT_TRUE(measured.norms.empty());
}

TEST_F(QuantizerTraining, GoesOnFromItsStateAsIfItHadNeverStopped) {
  const char* const kinds[] = {kEma, R"({"type":"cosine","entries":40,"dim":4,"estimator":"rotation"})"};
  for (const char* kind : kinds) {
    SCOPED_TRACE(kind);
    auto options = Options(kind, 6);
    const auto whole = Train(options);
    options.state = folder_.Path("state");
    options.stop_after = 1e-9;  // after each step
    TrainedQuantizer pieces;
    int runs = 0;
    do {
      pieces = Train(options);
    } while (pieces.ended_early && ++runs < 20);
    EXPECT_EQ(runs, 5);
    EXPECT_EQ(pieces.tensors.at("codebook").bytes, whole.tensors.at("codebook").bytes);
    std::filesystem::remove(options.state);
  }
}

TEST_F(QuantizerTraining, TheSameAgainAndHeldOutRowsAreMeasured) {
  auto options = Options(kEma, 20);
  const auto once = Train(options);
  const auto valid = features_.slice(0, 0, 500).contiguous();
  options.valid = RowsOf(valid);
  const auto again = Train(options);
  EXPECT_EQ(once.tensors.at("codebook").bytes, again.tensors.at("codebook").bytes);
  EXPECT_EQ(again.tokens, 500u);
  EXPECT_NE(again.error, once.error);
}

TEST_F(QuantizerTraining, MeasuresWhatAStepCosts) {
  const auto cost = MeasureStepCost(Options(kEma, 1), 3);
  ASSERT_TRUE(cost.ok()) << cost.error().message;
  EXPECT_GT(cost->search, 0);
  EXPECT_GT(cost->step, cost->search);
}

TEST_F(QuantizerTraining, RefusesWhatDoesNotFit) {
  const auto message = [&](const TrainQuantizerOptions& options) {
    const auto trained = TrainQuantizer(options);
    return trained.ok() ? "" : trained.error().message;
  };
  auto options = Options(R"({"type":"vq","entries":40,"dim":5})", 1);
  EXPECT_NE(message(options).find("rows of 4 values; this quantizer takes rows of 5"), std::string::npos);
  options = Options(R"({"type":"vq","entries":4000,"dim":4})", 1);
  EXPECT_NE(message(options).find("3000 latents for 4000"), std::string::npos);
  options = Options(R"({"type":"fsq","levels":[5,5,5,5]})", 1);
  options.single_codebook = true;
  EXPECT_NE(message(options).find("has 0"), std::string::npos);
  options = Options(kEma, 1);
  auto bad = features_.clone();
  bad[1234][2] = std::numeric_limits<float>::quiet_NaN();
  options.features = RowsOf(bad);
  EXPECT_NE(message(options).find("row 1234"), std::string::npos);
  options = Options(R"({"type":"vq","entries":40,"dim":4,"wrong":2})", 1);
  EXPECT_NE(message(options).find("wrong"), std::string::npos);
}

}  // namespace
}  // namespace vqc
