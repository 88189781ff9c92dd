// SPDX-License-Identifier: Apache-2.0
// The contract of every quantizer of the table, and the golden values of each.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "quantizers/fsq.h"
#include "quantizers/quantizer.h"
#include "quantizers/vq.h"

namespace vqc {
namespace {

std::shared_ptr<Quantizer> Make(const char* config) {
  auto made = MakeQuantizer(nlohmann::json::parse(config));
  EXPECT_TRUE(made.ok()) << made.error().message;
  return *made;
}

class Contract : public testing::TestWithParam<const char*> {};

TEST_P(Contract, Holds) {
  torch::manual_seed(3);
  const auto quantizer = Make(GetParam());
  const int64_t dim = quantizer->Dim(), levels = static_cast<int64_t>(quantizer->Vocab().size());
  const auto latents = (torch::randn({2, dim, 5, 7}) * 2).requires_grad_();

  quantizer->train();
  const auto trained = quantizer->forward(latents);
  EXPECT_EQ(trained.quantized.sizes(), latents.sizes());
  EXPECT_EQ(trained.codes.sizes(), torch::IntArrayRef({2, levels, 5, 7}));
  trained.quantized.sum().backward();
  EXPECT_GT(latents.grad().abs().sum().item<float>(), 0) << "no gradient reaches the latents";

  quantizer->eval();
  const torch::NoGradGuard no_grad;
  const auto codes = quantizer->Encode(latents);
  for (int64_t level = 0; level < levels; ++level) {
    EXPECT_GE(codes.select(1, level).min().item<int64_t>(), 0);
    EXPECT_LT(codes.select(1, level).max().item<int64_t>(), quantizer->Vocab()[static_cast<size_t>(level)]);
  }
  EXPECT_TRUE(torch::equal(quantizer->forward(latents).quantized, quantizer->Decode(codes)));
  EXPECT_TRUE(torch::equal(quantizer->Encode(latents.slice(0, 1, 2)), codes.slice(0, 1, 2)))
      << "ids depend on the batch";
}

INSTANTIATE_TEST_SUITE_P(Quantizers, Contract,
                         testing::Values(R"({"type":"fsq","levels":[8,8,8,5,5,5]})",
                                         R"({"type":"fsq","levels":[3]})",
                                         R"({"type":"vq","entries":37,"dim":4})"),
                         [](const auto& info) { return "Case" + std::to_string(info.index); });

TEST(Fsq, AgreesWithGoldenValues) {
  // Latent, digit: computed with the paper's formula in double precision.
  const struct {
    uint32_t levels;
    double latent;
    int64_t digit;
  } cases[] = {{3, -5, 0}, {3, -0.7, 0}, {3, 0, 1},    {3, 5, 2},   {4, -5, 0},   {4, -0.7, 1},
               {4, 0, 2},  {4, 5, 3},    {5, -0.7, 1}, {5, 0.3, 3}, {7, -0.7, 1}, {7, 0.3, 4},
               {8, -5, 0}, {8, -0.7, 2}, {8, 0, 4},    {8, 0.3, 5}, {8, 5, 7}};
  for (const auto& c : cases) {
    Fsq fsq({c.levels});
    EXPECT_EQ(fsq.Encode(torch::full({1, 1, 1}, c.latent)).item<int64_t>(), c.digit)
        << c.levels << " " << c.latent;
  }
  Fsq fsq({8, 5, 5, 5});
  EXPECT_EQ(fsq.Encode(torch::tensor({0.3f, -0.7f, 1.2f, -2.0f}).view({1, 4, 1})).item<int64_t>(), 173);
}

TEST(Fsq, ThresholdsAgreeWithRoundingTheBoundedLatent) {
  Fsq fsq({8, 5, 4});
  const auto latents = torch::randn({1, 3, 100000});
  const auto bound = fsq.Bound(latents);
  const auto sure = ((bound - bound.floor()) - 0.5).abs() > 1e-4;  // away from ties
  EXPECT_TRUE(torch::equal(bound.round().masked_select(sure),
                           fsq.Digits(latents).to(torch::kFloat32).masked_select(sure)));
}

TEST(Fsq, RefusesLevelsThatDoNotFit) {
  for (const char* config :
       {R"({"type":"fsq"})", R"({"type":"fsq","levels":[]})", R"({"type":"fsq","levels":[2]})",
        R"({"type":"fsq","levels":[8,-1]})", R"({"type":"fsq","levels":[64,64,64,64]})",
        R"({"type":"fsq","levels":"8"})", R"({"type":"none"})", R"([])"}) {
    const auto made = MakeQuantizer(nlohmann::json::parse(config));
    ASSERT_FALSE(made.ok()) << config;
    EXPECT_EQ(made.error().code, ErrorCode::kModel);
  }
}

TEST(Vq, TakesTheClosestCodewordAndTheLowestOfEqualOnes) {
  const auto codebook = torch::tensor({{1.f, 0.f}, {0.f, 1.f}, {1.f, 0.f}, {-1.f, 0.f}});
  const auto points = torch::tensor({{0.9f, 0.1f}, {-2.f, 0.f}, {0.f, 3.f}, {0.f, 0.f}});
  EXPECT_TRUE(torch::equal(ClosestCodeword(points, codebook), torch::tensor({0, 3, 1, 0}, torch::kInt64)));
  // A huge offset, where |z|^2 - 2 z c + |c|^2 in float32 would cancel.
  EXPECT_TRUE(torch::equal(ClosestCodeword(points + 4096, codebook + 4096),
                           torch::tensor({0, 3, 1, 0}, torch::kInt64)));
  EXPECT_EQ(ClosestCodeword(torch::empty({0, 2}), codebook).numel(), 0);
  // Columns of a larger tensor, and other types.
  EXPECT_TRUE(torch::equal(ClosestCodeword(torch::cat({points, points}, 1).slice(1, 2, 4), codebook),
                           ClosestCodeword(points, codebook)));
  EXPECT_TRUE(torch::equal(ClosestCodeword(points.to(torch::kFloat64), codebook.to(torch::kFloat64)),
                           ClosestCodeword(points, codebook)));
  EXPECT_THROW(ClosestCodeword(points / 0, codebook), c10::Error);
}

TEST(Vq, AgreesWithFloat64OnRandomLatents) {
  torch::manual_seed(3);
  for (const int64_t dim : {1, 8, 100}) {
    const auto points = torch::randn({500, dim}), codebook = torch::randn({700, dim});
    const auto distances = at::cdist(points.to(torch::kFloat64), codebook.to(torch::kFloat64), 2.0, 2);
    EXPECT_TRUE(torch::equal(ClosestCodeword(points, codebook), distances.argmin(1)));
  }
}

}  // namespace
}  // namespace vqc
