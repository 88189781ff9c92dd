// SPDX-License-Identifier: Apache-2.0
#include "quantizers/residual.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <set>

#include "quantizers/product.h"
#include "quantizers/vq.h"
#include "tests/quantizers/quantizer_test_base.h"

namespace vqc {
namespace {

std::shared_ptr<Vq> Scalar(const torch::Tensor& codewords, const CodebookLoss& loss) {
  VqOptions options;
  options.entries = codewords.numel();
  options.dim = 1;
  options.loss = loss;
  auto vq = std::make_shared<Vq>(options);
  const torch::NoGradGuard no_grad;
  vq->codebook().copy_(codewords.view({-1, 1}));
  return vq;
}

// Published implementations differ. Where residuals are not cut from quantized values, commitment losses
// beyond the first level give no gradient; where each level passes the decoder's gradient, it arrives once
// for every level.
TEST(Residual, GradientsAgreeWithGoldenValues) {
  const torch::Tensor codebooks[] = {torch::tensor({-1.f, 0.f, 1.f}), torch::tensor({-0.3f, 0.f, 0.3f}),
                                     torch::tensor({-0.1f, 0.f, 0.1f})};
  const double commitment[] = {-0.26, -0.26, -0.06};
  for (int64_t level = -1; level < 3; ++level) {
    QuantizerParts parts;
    for (int64_t i = 0; i < 3; ++i) {
      parts.push_back(Scalar(codebooks[i], {.commitment = i == level ? 1.0 : 0.0, .codebook = 0}));
    }
    Residual residual(parts, /*shared=*/false, /*dropout=*/0);
    auto x = torch::full({1, 1}, 0.87f).requires_grad_();
    const auto out = residual.forward(x);
    EXPECT_NEAR(out.quantized.item<double>(), 0.9, 1e-6);
    if (level < 0) {
      out.quantized.sum().backward();
      EXPECT_NEAR(x.grad().item<double>(), 1, 1e-6);
    } else {
      out.loss.backward();
      EXPECT_NEAR(x.grad().item<double>(), commitment[level], 1e-6) << level;
    }
  }
}

TEST(Residual, EachLevelQuantizesWhatIsLeft) {
  torch::manual_seed(1);
  const auto made =
      MakeOrFail(R"({"type":"residual","levels":4,"quantizer":{"type":"vq","entries":32,"dim":3}})");
  auto& residual = dynamic_cast<Residual&>(*made);
  const auto latents = torch::randn({2, 3, 200});
  ASSERT_TRUE(residual.Initialize(latents, 1).ok());
  residual.eval();
  const torch::NoGradGuard no_grad;
  const auto codes = residual.Encode(latents);
  double before = latents.pow(2).mean().item<double>();
  for (size_t count = 1; count <= 4; ++count) {
    const double error = (latents - residual.DecodeFirst(codes, count)).pow(2).mean().item<double>();
    EXPECT_LT(error, 0.6 * before) << count;
    before = error;
  }
  EXPECT_TRUE(torch::equal(residual.DecodeFirst(codes, 4), residual.Decode(codes)));
}

TEST(Residual, DropoutUsesEachNumberOfLevels) {
  torch::manual_seed(1);
  const auto made = MakeOrFail(
      R"({"type":"residual","levels":3,"dropout":1,"quantizer":{"type":"vq","entries":16,"dim":2}})");
  auto& residual = dynamic_cast<Residual&>(*made);
  const auto latents = torch::randn({60, 2, 5});
  const auto out = residual.forward(latents);
  EXPECT_TRUE(torch::equal(out.codes, residual.Encode(latents)));
  std::set<size_t> counts;
  for (int64_t i = 0; i < 60; ++i) {
    const size_t before = counts.size();
    bool found = false;
    for (size_t count = 1; count <= 3; ++count) {
      const auto first = residual.DecodeFirst(out.codes.slice(0, i, i + 1), count);
      if (!torch::allclose(first, out.quantized.slice(0, i, i + 1), 1e-5, 1e-5)) continue;
      counts.insert(count);
      found = true;
    }
    EXPECT_TRUE(found) << "sample " << i << " uses no number of levels" << before;
  }
  EXPECT_EQ(counts.size(), 3u);
  residual.eval();
  EXPECT_TRUE(torch::equal(residual.forward(latents).quantized, residual.DecodeFirst(out.codes, 3)));
}

TEST(Residual, SharedLevelsHaveOneCodebook) {
  const auto shared = MakeOrFail(
      R"({"type":"residual","levels":3,"shared":true,"quantizer":{"type":"vq","entries":16,"dim":2,"update":"ema"}})");
  EXPECT_EQ(shared->parameters().size(), 1u);
  EXPECT_EQ(shared->Codebooks().size(), 1u);
  EXPECT_EQ(shared->Vocab(), std::vector<uint32_t>(3, 16));
  const auto latents = torch::randn({2, 2, 10});
  const auto seen = shared->Observe(latents, shared->Encode(latents), {});
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].counts.sum().item<float>(), 60);  // 20 tokens at three levels
}

TEST(Product, GroupsAreIndependent) {
  torch::manual_seed(1);
  const auto product =
      MakeOrFail(R"({"type":"product","groups":2,"quantizer":{"type":"vq","entries":16,"dim":2}})");
  product->eval();
  auto latents = torch::randn({1, 4, 50});
  const auto codes = product->Encode(latents);
  latents.slice(1, 2, 4) += 3;
  const auto changed = product->Encode(latents);
  EXPECT_TRUE(torch::equal(codes.select(1, 0), changed.select(1, 0)));
  EXPECT_FALSE(torch::equal(codes.select(1, 1), changed.select(1, 1)));
}

TEST(Product, GradientPassesOnce) {
  for (const char* config :
       {R"({"type":"product","groups":2,"quantizer":{"type":"vq","entries":16,"dim":2}})",
        R"({"type":"parallel","heads":4,"quantizer":{"type":"vq","entries":16,"dim":4}})"}) {
    const auto latents = torch::randn({2, 4, 3}).requires_grad_();
    MakeOrFail(config)->forward(latents).quantized.sum().backward();
    EXPECT_TRUE(torch::allclose(latents.grad(), torch::ones({2, 4, 3}))) << config;
  }
}

}  // namespace
}  // namespace vqc
