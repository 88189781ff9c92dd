// SPDX-License-Identifier: Apache-2.0
// Codebooks that are computed from others, and the one that learns from all tokens.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "quantizers/ibq.h"
#include "quantizers/simvq.h"
#include "quantizers/vq.h"
#include "quantizers/vqbridge.h"
#include "quantizers/vqgan_lc.h"
#include "tests/quantizers/quantizer_test_base.h"

namespace vqc {
namespace {

// Share of the codewords that a step of gradient descent moves when all tokens take the same one.
double ShareMoved(const char* config) {
  torch::manual_seed(2);
  const auto quantizer = std::dynamic_pointer_cast<CodebookQuantizer>(MakeOrFail(config));
  const auto before = quantizer->Codewords().clone();
  const auto latents = torch::full({2, quantizer->Dim(), 8}, 0.3f).requires_grad_();
  const auto out = quantizer->forward(latents);
  EXPECT_TRUE((out.codes == out.codes.view({-1})[0]).all().item<bool>());
  (out.loss + (out.quantized * torch::randn_like(out.quantized)).sum()).backward();
  const torch::NoGradGuard no_grad;
  for (auto& parameter : quantizer->parameters()) {
    if (parameter.grad().defined()) parameter.sub_(0.1 * parameter.grad());
  }
  return ((quantizer->Codewords() - before).abs().amax(1) > 0).to(torch::kFloat64).mean().item<double>();
}

// Why large codebooks are used by these methods, and not by plain vector quantization.
TEST(ComputedCodebooks, AStepMovesEveryCodeword) {
  EXPECT_DOUBLE_EQ(ShareMoved(R"({"type":"vq","entries":64,"dim":4})"), 1.0 / 64);
  EXPECT_GE(ShareMoved(R"({"type":"simvq","entries":64,"dim":4})"), 0.99);
  EXPECT_GE(ShareMoved(R"({"type":"vqgan_lc","entries":64,"dim":4,"features":7})"), 0.99);
  EXPECT_GE(ShareMoved(R"({"type":"vqbridge","entries":64,"dim":4,"patch":2,"hidden":32})"), 0.99);
  EXPECT_GE(ShareMoved(R"({"type":"ibq","entries":64,"dim":4})"), 0.99);
}

TEST(ComputedCodebooks, ConvertToAPlainCodebookBitForBit) {
  for (const char* config :
       {R"({"type":"simvq","entries":400,"dim":8})",
        R"({"type":"vqgan_lc","entries":400,"dim":8,"features":12})",
        R"({"type":"vqbridge","entries":400,"dim":8,"patch":4,"hidden":32})",
        R"({"type":"vqbridge","entries":400,"dim":8,"patch":2,"hidden":32,"zero_init":true})"}) {
    torch::manual_seed(4);
    const auto computed = std::dynamic_pointer_cast<CodebookQuantizer>(MakeOrFail(config));
    computed->eval();
    VqOptions options;
    options.entries = 400;
    options.dim = 8;
    Vq plain(options);
    {
      const torch::NoGradGuard no_grad;
      plain.codebook().copy_(computed->Codewords());
    }
    plain.eval();
    const auto latents = torch::randn({3, 8, 100});
    const auto a = computed->forward(latents), b = plain.forward(latents);
    EXPECT_TRUE(torch::equal(a.codes, b.codes)) << config;
    EXPECT_TRUE(torch::equal(a.quantized, b.quantized)) << config;
  }
}

TEST(ComputedCodebooks, AreComputedAnewWithEachEvaluation) {
  const auto quantizer = std::make_shared<SimVq>(16, 2, CodebookLoss{}, Estimator::kStraightThrough);
  quantizer->eval();
  const auto before = quantizer->Codewords().clone();
  quantizer->train();
  {
    const torch::NoGradGuard no_grad;
    quantizer->bias().add_(1);
  }
  quantizer->eval();
  EXPECT_TRUE(torch::allclose(quantizer->Codewords(), before + 1));
}

TEST(SimVq, KeepsTheFrozenCodebook) {
  SimVq simvq(32, 4, {}, Estimator::kStraightThrough);
  simvq.forward(torch::randn({2, 4, 9})).loss.backward();
  EXPECT_FALSE(simvq.frozen().grad().defined());
  EXPECT_NEAR(simvq.frozen().std().item<double>(), 0.5, 0.1);  // D^-1/2
  const auto latents = torch::randn({1, 4, 100});
  ASSERT_TRUE(simvq.Initialize(latents, 1).ok());
  EXPECT_TRUE(torch::equal(simvq.Codewords(), simvq.frozen()));
}

TEST(VqganLc, StandardizesFeaturesAndFitsTheProjector) {
  torch::manual_seed(5);
  VqganLc lc(300, 3, 6, {}, Estimator::kStraightThrough);
  const auto features = torch::randn({300, 6}) * torch::tensor({1.f, 5.f, 0.1f, 2.f, 1.f, 3.f}) + 100;
  auto status = lc.SetFeatures(features);
  ASSERT_TRUE(status.ok()) << status.error().message;
  EXPECT_LT(lc.frozen().mean(0).abs().max().item<double>(), 1e-3);
  EXPECT_TRUE(torch::allclose(lc.frozen().pow(2).mean(0), torch::ones({6}), 1e-3, 1e-3));

  const auto map = torch::randn({6, 3});
  status = lc.FitProjector(features, torch::matmul(lc.frozen(), map) + 0.5);
  ASSERT_TRUE(status.ok()) << status.error().message;
  EXPECT_TRUE(torch::allclose(lc.weight(), map.t(), 1e-2, 1e-3));
  EXPECT_TRUE(torch::allclose(lc.bias(), torch::full({3}, 0.5f), 1e-2, 1e-3));
}

TEST(VqganLc, RefusesFeaturesThatDoNotFit) {
  VqganLc lc(10, 3, 6, {}, Estimator::kStraightThrough);
  const auto message = [](const Status& status) {
    return status.ok() ? std::string("ok") : status.error().message;
  };
  EXPECT_EQ(message(lc.SetFeatures(torch::zeros({10, 5}))),
            "vqgan_lc: features of the codebook are 10 x 5; they must be 10 x 6");
  EXPECT_NE(message(lc.SetFeatures(torch::full({10, 6}, std::nan("")))).find("hold NaN"), std::string::npos);
  EXPECT_EQ(message(lc.FitProjector(torch::zeros({9, 6}), torch::zeros({8, 3}))),
            "vqgan_lc: latents are 8 x 3; they must be 9 x 3");
  EXPECT_NE(
      message(lc.FitProjector(torch::zeros({6, 6}), torch::zeros({6, 3}))).find("6 positions cannot fit 6"),
      std::string::npos);
}

TEST(VqBridge, BeginsAsPublishedWhenAsked) {
  const auto zero = std::dynamic_pointer_cast<CodebookQuantizer>(
      MakeOrFail(R"({"type":"vqbridge","entries":64,"dim":4,"patch":2,"hidden":32,"zero_init":true})"));
  EXPECT_EQ(zero->Codewords().abs().max().item<float>(), 0);
  const auto normal = std::dynamic_pointer_cast<CodebookQuantizer>(
      MakeOrFail(R"({"type":"vqbridge","entries":4096,"dim":4,"patch":4,"hidden":32})"));
  EXPECT_NEAR(normal->Codewords().std().item<double>(), 0.5, 0.15);
}

TEST(Ibq, GradientsAreThoseOfTheDenseFormula) {
  torch::manual_seed(6);
  const auto options = torch::dtype(torch::kFloat64);
  const auto rows = torch::randn({20, 3}, options), codewords = torch::randn({7, 3}, options);
  const auto weights = torch::randn({20, 3}, options);
  const auto gradients = [&](const auto& loss) {
    auto z = rows.clone().requires_grad_(), c = codewords.clone().requires_grad_();
    const auto value = loss(z, c);
    value.backward();
    return std::vector<torch::Tensor>{value.detach(), z.grad(), c.grad()};
  };
  const auto close = [](const auto& a, const auto& b) {
    for (size_t i = 0; i < 3; ++i) EXPECT_TRUE(torch::allclose(a[i], b[i], 1e-9, 1e-9)) << i << a[i] << b[i];
  };
  close(gradients([&](const auto& z, const auto& c) {
          const auto ids = torch::matmul(z, c.t()).argmax(1);
          return (SoftLookup(z, c, ids) * weights).sum();
        }),
        gradients([&](const auto& z, const auto& c) {
          const auto logits = torch::matmul(z, c.t());
          const auto p = torch::softmax(logits, 1),
                     hard = torch::one_hot(logits.argmax(1), 7).to(torch::kFloat64);
          return (torch::matmul(hard - p.detach() + p, c) * weights).sum();
        }));
  close(gradients([&](const auto& z, const auto& c) { return 3 * SoftmaxEntropy(z, c, 0.7, 1.3); }),
        gradients([&](const auto& z, const auto& c) {
          const auto p = torch::softmax(torch::matmul(z, c.t()) / 0.7, 1), mean = p.mean(0);
          return 3 * (-(p * p.log()).sum(1).mean() + 1.3 * (mean * mean.log()).sum());
        }));
}

TEST(Ibq, TakesTheGreatestInnerProduct) {
  Ibq ibq({.entries = 2, .dim = 2});
  {
    const torch::NoGradGuard no_grad;
    ibq.codebook().copy_(torch::tensor({{1.f, 0.f}, {10.f, 10.f}}));
  }
  EXPECT_EQ(ibq.Encode(torch::tensor({1.f, 0.f}).view({1, 2})).item<int64_t>(), 1);
}

}  // namespace
}  // namespace vqc
