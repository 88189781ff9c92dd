// SPDX-License-Identifier: Apache-2.0
// Quantizers without a codebook: FSQ, LFQ and BSQ.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "quantizers/fsq.h"
#include "quantizers/sign_quantizer.h"

namespace vqc {
namespace {

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

// Where ids follow from noisy values, they can leave the vocabulary.
TEST(Fsq, NoiseChangesValuesButNotCodes) {
  torch::manual_seed(1);
  Fsq plain({8, 5}), noisy({8, 5}, 1);
  const auto latents = torch::randn({1, 2, 20000}) * 3;
  const auto a = plain.forward(latents), b = noisy.forward(latents);
  EXPECT_TRUE(torch::equal(a.codes, b.codes));
  const auto scale = torch::tensor({4.f, 2.f}).view({1, 2, 1});
  const auto digits = b.quantized * scale + scale;
  EXPECT_GE(digits.min().item<float>(), -1e-5);
  EXPECT_LE(digits.select(1, 0).max().item<float>(), 7 + 1e-5);
  EXPECT_LE(digits.select(1, 1).max().item<float>(), 4 + 1e-5);
  const auto inside = torch::logical_and(noisy.Bound(latents) > 0.5, noisy.Bound(latents) < 3.5);
  const auto noise = (digits - noisy.Bound(latents)).masked_select(inside);
  EXPECT_NEAR(noise.mean().item<double>(), 0, 0.02);
  EXPECT_NEAR(noise.var().item<double>(), 1.0 / 12, 0.005);  // uniform over one interval
  noisy.eval();
  plain.eval();
  EXPECT_TRUE(torch::equal(noisy.forward(latents).quantized, plain.forward(latents).quantized));
}

// p(c | u) of all codes: softmax of 2 u c / temperature. [N, 2^bits]
torch::Tensor AllCodes(const torch::Tensor& rows, double value, double temperature) {
  const int64_t bits = rows.size(1);
  auto codes = torch::empty({int64_t{1} << bits, bits}, rows.options());
  for (int64_t k = 0; k < codes.size(0); ++k) {
    for (int64_t j = 0; j < bits; ++j) codes[k][j] = (k >> j & 1) ? value : -value;
  }
  return torch::softmax(2 * torch::matmul(rows, codes.t()) / temperature, 1);
}

double Entropy(const torch::Tensor& p) {
  return -(p * p.clamp_min(1e-30).log()).sum(-1).mean().item<double>();
}

TEST(Bsq, AgreesWithGoldenValues) {
  SignQuantizer bsq({.bits = 3, .sphere = true});
  bsq.eval();
  const auto latents = torch::tensor({0.9f, -0.2f, 0.4f}).view({1, 3, 1});
  const auto out = bsq.forward(latents);
  EXPECT_EQ(out.codes.item<int64_t>(), 5);
  EXPECT_TRUE(torch::allclose(out.quantized.view({3}), torch::tensor({0.57735f, -0.57735f, 0.57735f})));
  const auto unit = torch::tensor({{0.895533f, -0.199007f, 0.398015f}});
  EXPECT_NEAR(bsq.TokenEntropy(unit).item<double>(), 1.616311, 1e-5);
  EXPECT_NEAR(Entropy(AllCodes(unit, 1 / std::sqrt(3.0), 1)), 1.616311, 1e-5);
}

TEST(Bsq, TheErrorIsBounded) {
  SignQuantizer bsq({.bits = 3, .sphere = true});
  const auto unit = torch::nn::functional::normalize(torch::randn({100, 3, 50}));
  const auto error = (bsq.forward(unit).quantized - unit).pow(2).sum(1);
  EXPECT_LE(error.max().item<double>(), 2 - 2 / std::sqrt(3.0) + 1e-5);  // 0.8453
}

TEST(SignQuantizers, EntropiesAreThoseOverAllCodes) {
  torch::manual_seed(1);
  const auto rows = torch::randn({40, 8}, torch::kFloat64);
  for (const bool sphere : {false, true}) {
    const double value = sphere ? 1 / std::sqrt(8.0) : 1;
    SignQuantizer joint({.bits = 8, .sphere = sphere, .temperature = 1.5, .group = 8});
    const auto p = AllCodes(rows, value, 1.5);
    EXPECT_NEAR(joint.TokenEntropy(rows).item<double>(), Entropy(p), 1e-9);
    EXPECT_NEAR(joint.BatchEntropy(rows).item<double>(), Entropy(p.mean(0)), 1e-9);
    // Groups that count as independent can only look more even.
    SignQuantizer grouped({.bits = 8, .sphere = sphere, .temperature = 1.5, .group = 3});
    EXPECT_GT(grouped.BatchEntropy(rows).item<double>(), Entropy(p.mean(0)) - 1e-12);
  }
}

TEST(Lfq, EntropyIsFiniteFarFromZero) {
  SignQuantizer lfq({.bits = 4, .entropy = 1, .temperature = 0.01, .group = 4});
  auto latents = (torch::randn({2, 4, 50}) * 100).requires_grad_();
  const auto out = lfq.forward(latents);
  out.loss.backward();
  EXPECT_TRUE(std::isfinite(out.loss.item<float>()));
  EXPECT_TRUE(torch::isfinite(latents.grad()).all().item<bool>());
}

TEST(Lfq, IdsHaveTheFirstBitOnTop) {
  SignQuantizer lfq({.bits = 4, .tokens = 2});
  const auto latents = torch::tensor({1.f, -1.f, 0.f, 2.f}).view({1, 4});  // 0 counts as negative
  EXPECT_TRUE(torch::equal(lfq.Encode(latents), torch::tensor({{2, 1}}, torch::kInt64)));
  // Positions list the digits of each id from the lowest; 0.5 is between the digits 0 and 1.
  EXPECT_TRUE(torch::allclose(lfq.Positions(latents), torch::tensor({{0.f, 1.f, 1.5f, 0.5f}})));
  EXPECT_EQ(lfq.Factors(), (std::vector<std::vector<uint32_t>>{{2, 2}, {2, 2}}));
}

}  // namespace
}  // namespace vqc
