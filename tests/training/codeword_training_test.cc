// SPDX-License-Identifier: Apache-2.0
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <random>

#include "entropy/codeword_prior.h"
#include "entropy/token_coder.h"
#include "training/codeword_net.h"
#include "training/codeword_trainer.h"

namespace vqc {
namespace {

const std::vector<uint32_t> kVocab = {32, 48};
const Factors kFactors = {{32}, {48}};

// The first level mostly counts on, the second follows from the first.
Tokens Sequence(uint32_t frames, uint32_t seed) {
  std::mt19937 random(seed);
  Tokens tokens{{2, frames, 1, 1}, kVocab, {}};
  uint32_t id = random() % 32;
  for (uint32_t t = 0; t < frames; ++t) {
    id = random() % 10 == 0 ? random() % 32 : (id + 5) % 32;
    tokens.ids.push_back(id);
    tokens.ids.push_back(id * 7 % 48);
  }
  return tokens;
}

double BitsOf(const Tokens& tokens, std::span<const uint8_t> tables) {
  const auto model = MakeCodewordPrior(kFactors, tables);
  EXPECT_TRUE(model.ok()) << model.error().message;
  const auto coded = EncodeTokens(tokens, **model);
  EXPECT_TRUE(coded.ok());
  return 8.0 * static_cast<double>(coded->size());
}

TEST(CodewordTraining, WhatIsTrainedIsWhatIsCoded) {
  at::set_num_threads(1);
  torch::manual_seed(3);
  CodewordTables tables{{kFactors, kVocab}, {kVocab, 48, 4, 64, 48}, {}};
  const std::vector<torch::Tensor> biases = {torch::randn({32}), torch::randn({48})};
  CodewordNet net(tables.shape, std::vector<torch::Tensor>{}, biases);
  tables.weights = net->Export();
  const Tokens tokens = Sequence(400, 1);
  auto ids = torch::empty({1, 400, 2}, torch::kInt64);
  for (int64_t i = 0; i < 800; ++i) ids.data_ptr<int64_t>()[i] = tokens.ids[static_cast<size_t>(i)];
  const double trained = net->forward(ids).sum().item<double>();
  EXPECT_GT(trained, 400 * 5.0);  // noise knows nothing, and is sure of it
  EXPECT_NEAR(BitsOf(tokens, WriteCodewordTables(tables)), trained, trained * 0.005 + 64);
}

TEST(CodewordTraining, ItLearnsWhatFollowsFromWhat) {
  at::set_num_threads(1);
  std::vector<Tokens> maps;
  for (uint32_t seed = 0; seed < 20; ++seed) maps.push_back(Sequence(200, 100 + seed));
  TrainPriorOptions options;
  options.device = "cpu";
  options.steps = 150;
  options.batch = 2;
  options.width = 64;
  const auto tables = TrainCodewordPrior(maps, kFactors, SafeTensors(), options);
  ASSERT_TRUE(tables.ok()) << tables.error().message;
  const Tokens fresh = Sequence(1000, 7);
  // Of 32 x 48 values nearly one bit a frame is news; frequencies alone cost five and more.
  EXPECT_LT(BitsOf(fresh, *tables), 1000 * 3.0);
  const std::vector<Tokens> few = {Sequence(20, 1)};
  const auto refused = TrainCodewordPrior(few, kFactors, SafeTensors(), options);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("more than 64 frames"), std::string::npos);
}

}  // namespace
}  // namespace vqc
