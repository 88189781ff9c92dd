// SPDX-License-Identifier: Apache-2.0
#include "quantizers/vq.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "quantizers/estimator.h"
#include "quantizers/search/hash_random.h"
#include "quantizers/sinkhorn.h"

namespace vqc {
namespace {

torch::Tensor Column(std::initializer_list<float> values) {
  return torch::tensor(at::ArrayRef<float>(values)).view({-1, 1});
}

VqOptions ByEma(int64_t entries, int64_t dim, double revive = 0.1) {
  VqOptions options;
  options.entries = entries;
  options.dim = dim;
  options.by_ema = true;
  options.ema.revive = revive;
  return options;
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

TEST(Vq, FindsSeveralCodewordsInOrder) {
  torch::manual_seed(12);
  const auto points = torch::randn({40, 5}), codebook = torch::randn({90, 5});
  const auto distances = torch::cdist(points.to(torch::kFloat64), codebook.to(torch::kFloat64));
  EXPECT_TRUE(
      torch::equal(ClosestCodewords(points, codebook, 7), std::get<1>(distances.sort(1)).slice(1, 0, 7)));
  EXPECT_THROW(ClosestCodewords(points, codebook, 17), c10::Error);
  EXPECT_THROW(ClosestCodewords(points, codebook, 0), c10::Error);
  EXPECT_THROW(ClosestCodewords(points.to(torch::kFloat64), codebook, 2), c10::Error);
}

TEST(Vq, SeesEveryChangeOfACodebook) {
  torch::manual_seed(11);
  const auto points = torch::randn({50, 4});
  auto codebook = torch::randn({64, 4});
  const auto expect_closest = [&](const torch::Tensor& codes) {
    const auto nearest = torch::cdist(points.to(torch::kFloat64), codes.to(torch::kFloat64)).argmin(1);
    EXPECT_TRUE(torch::equal(ClosestCodeword(points, codes), nearest));
    EXPECT_TRUE(torch::equal(ClosestCodeword(points, codes), nearest));
  };
  expect_closest(codebook);
  codebook.detach().mul_(-1);
  expect_closest(codebook);
  codebook[7].copy_(points[0]);
  expect_closest(codebook);
  codebook.set_data(torch::randn({64, 4}));
  expect_closest(codebook);
  expect_closest(codebook.slice(0, 0, 32));
  expect_closest(codebook.slice(0, 32));
  for (int i = 0; i < 20; ++i) expect_closest(torch::randn({64, 4}));
  EXPECT_TRUE(
      torch::equal(ClosestCodeword(points, codebook, Metric::kInnerProduct),
                   torch::matmul(points.to(torch::kFloat64), codebook.to(torch::kFloat64).t()).argmax(1)));
}

TEST(Vq, AgreesWithFloat64OnRandomLatents) {
  torch::manual_seed(3);
  for (const int64_t dim : {1, 8, 100}) {
    const auto points = torch::randn({500, dim}), codebook = torch::randn({700, dim});
    const auto distances = at::cdist(points.to(torch::kFloat64), codebook.to(torch::kFloat64), 2.0, 2);
    EXPECT_TRUE(torch::equal(ClosestCodeword(points, codebook), distances.argmin(1)));
    const auto products = torch::matmul(points.to(torch::kFloat64), codebook.to(torch::kFloat64).t());
    EXPECT_TRUE(torch::equal(ClosestCodeword(points, codebook, Metric::kInnerProduct), products.argmax(1)));
  }
}

TEST(Vq, LossesAreThoseOfThePaper) {
  VqOptions options;
  options.entries = 2;
  options.dim = 1;
  Vq vq(options);
  {
    const torch::NoGradGuard no_grad;
    vq.codebook().copy_(Column({-1, 1}));
  }
  auto latents = torch::tensor({0.8f, -0.4f}).view({2, 1, 1}).requires_grad_();
  const auto out = vq.forward(latents);
  // mean |z - c|^2 = (0.04 + 0.36) / 2 with weight 1 for the codebook and 0.25 for the commitment.
  EXPECT_NEAR(out.loss.item<double>(), 1.25 * 0.2, 1e-6);
  (out.loss + 3 * out.quantized.sum()).backward();
  // Straight through 3; commitment 0.25 * 2 (z - c) / 2. The codebook sees its own loss alone: 2 (c - z) / 2.
  EXPECT_NEAR(latents.grad()[0].item<double>(), 3 - 0.25 * 0.2, 1e-6);
  EXPECT_NEAR(latents.grad()[1].item<double>(), 3 + 0.25 * 0.6, 1e-6);
  EXPECT_NEAR(vq.codebook().grad()[1].item<double>(), 0.2, 1e-6);
  EXPECT_NEAR(vq.codebook().grad()[0].item<double>(), -0.6, 1e-6);
}

TEST(Vq, EmaAgreesWithGoldenValues) {
  Vq vq(ByEma(2, 1, 0));
  const torch::NoGradGuard no_grad;
  vq.counts().copy_(torch::tensor({2.f, 1.f}));
  vq.sums().copy_(Column({1, -1}));
  vq.Update({{torch::tensor({3.f, 1.f}), Column({1.8f, -0.7f}), torch::empty({0, 1}),
              torch::empty({0}, torch::kFloat64)}},
            {});
  EXPECT_TRUE(torch::allclose(vq.counts(), torch::tensor({2.01f, 1.f})));
  EXPECT_TRUE(torch::allclose(vq.sums(), Column({1.008f, -0.997f})));
  EXPECT_TRUE(torch::allclose(vq.codebook(), Column({0.50149337f, -0.99699665f}), 1e-6, 1e-7));
}

// Where only the codeword is overwritten, the moving average takes it back in the same or the next step.
TEST(Vq, ARevivedCodewordStays) {
  Vq vq(ByEma(4, 1));
  const torch::NoGradGuard no_grad;
  vq.codebook().copy_(Column({0, 1, 2, 5}));
  vq.counts().copy_(torch::tensor({10.f, 10.f, 10.f, 0.01f}));
  vq.sums().copy_(vq.codebook() * vq.counts().unsqueeze(1));
  const CodebookSums hit{torch::tensor({10.f, 10.f, 10.f, 0.f}), Column({0, 10, 20, 0}), Column({0.25f}),
                         torch::tensor({1.0}, torch::kFloat64)};
  vq.Update({hit}, {});
  EXPECT_FLOAT_EQ(vq.codebook()[3].item<float>(), 0.25f);
  EXPECT_NEAR(vq.counts()[3].item<double>(), 0.1 * 30 / 4, 1e-6);  // a tenth of an even share
  EXPECT_NEAR(vq.sums()[3].item<double>(), 0.25 * 0.1 * 30 / 4, 1e-6);
  CodebookSums again = hit;
  again.candidates = torch::empty({0, 1});
  again.keys = torch::empty({0}, torch::kFloat64);
  vq.Update({again}, {});
  EXPECT_NEAR(vq.codebook()[3].item<double>(), 0.25, 1e-4);
  EXPECT_NEAR(vq.codebook()[1].item<double>(), 1, 1e-4);
}

TEST(Vq, RevivesFromTheLatentsOfTheStepAndOnlyWhenAsked) {
  const auto revived = [](bool revive) {
    torch::manual_seed(1);
    Vq vq(ByEma(20, 2));
    const torch::NoGradGuard no_grad;
    vq.codebook().copy_(torch::cat({torch::zeros({1, 2}), torch::full({19, 2}, 1000.f)}));
    const auto latents = torch::rand({1, 2, 500});
    for (int64_t i = 0; i < 400; ++i) {
      const TrainingStep step{.step = i, .revive = revive};
      vq.Update(vq.Observe(latents, vq.Encode(latents), step), step);
    }
    return ((vq.codebook() >= 0) & (vq.codebook() <= 1)).all(1).sum().item<int64_t>();
  };
  EXPECT_EQ(revived(true), 20);
  EXPECT_EQ(revived(false), 1);
}

TEST(Vq, KMeansFindsClusters) {
  torch::manual_seed(1);
  const auto centres = torch::tensor({{0.f, 0.f}, {10.f, 0.f}, {0.f, 10.f}, {10.f, 10.f}});
  const auto points = centres.repeat({50, 1}) + 0.1 * torch::randn({200, 2});
  Vq vq(ByEma(4, 2));
  const auto latents = points.t().unsqueeze(0);
  const auto status = vq.Initialize(latents, 7);
  ASSERT_TRUE(status.ok()) << status.error().message;
  EXPECT_LT(torch::cdist(centres, vq.codebook()).amin(1).max().item<double>(), 0.2);
  // The first update leaves centres where they are.
  const auto before = vq.codebook().clone();
  vq.Update(vq.Observe(latents, vq.Encode(latents), {}), {});
  EXPECT_TRUE(torch::allclose(before, vq.codebook(), 1e-3, 1e-3));
  const auto few = vq.Initialize(torch::zeros({1, 2, 3}), 7);
  ASSERT_FALSE(few.ok());
  EXPECT_EQ(few.error().code, ErrorCode::kUsage);
  EXPECT_NE(few.error().message.find("3 latents for 4 codewords"), std::string::npos);
}

TEST(Cosine, TakesTheGreatestCosineAndDecodesUnitVectors) {
  VqOptions options;
  options.entries = 2;
  options.dim = 2;
  options.ema.unit = true;
  Vq cosine(options);
  {
    const torch::NoGradGuard no_grad;
    cosine.codebook().copy_(torch::tensor({{5.f, 0.f}, {0.1f, 0.1f}}));
  }
  cosine.eval();
  const auto latents =
      torch::tensor({3.f, 2.f}).view({1, 2, 1});  // cosines 0.83 and 0.98; squared L2 would take the first
  const auto out = cosine.forward(latents);
  EXPECT_EQ(out.codes.item<int64_t>(), 1);
  EXPECT_TRUE(torch::allclose(out.quantized.view({2}), torch::full({2}, std::sqrt(0.5f))));
}

TEST(Estimator, RotationAgreesWithGoldenValues) {
  const auto q = torch::tensor({{0.f, 0.f, 2.f}});
  const float expected[3][3] = {{0.256f, -0.192f, -0.24f}, {-0.192f, 0.144f, -0.32f}, {0.24f, 0.32f, 0.f}};
  for (int64_t i = 0; i < 3; ++i) {
    auto z = torch::tensor({{3.f, 4.f, 0.f}}).requires_grad_();
    const auto out = PassGradient(Estimator::kRotation, z, q);
    EXPECT_TRUE(torch::allclose(out, q));
    out.select(1, i).sum().backward();
    for (int64_t j = 0; j < 3; ++j) EXPECT_NEAR(z.grad()[0][j].item<float>(), expected[i][j], 1e-6) << i << j;
  }
}

TEST(Estimator, GradientsAreFiniteWhereTheRotationIsUndefined) {
  auto z = torch::tensor({{1.f, 0.f}, {0.f, 0.f}, {1e-20f, 0.f}, {3.f, 0.f}}).requires_grad_();
  const auto q = torch::tensor({{-1.f, 0.f}, {1.f, 0.f}, {1.f, 0.f}, {0.f, 0.f}});
  const auto out = PassGradient(Estimator::kRotation, z, q);
  EXPECT_TRUE(torch::allclose(out, q));
  out.sum().backward();
  EXPECT_TRUE(torch::equal(z.grad(), torch::ones({4, 2}))) << z.grad();
}

// Distances of which the closest is always codeword 0, scaled to [-1, 1].
torch::Tensor Unfair() {
  return (torch::tensor({{0.1f, 0.9f}, {0.2f, 0.8f}, {0.3f, 0.5f}, {0.35f, 0.45f}}) - 0.5) / 0.40001;
}

TEST(Sinkhorn, AgreesWithGoldenValues) {
  EXPECT_TRUE(torch::allclose(
      SinkhornPlan(Unfair(), 0.05, 50),
      torch::tensor({{0.9889f, 0.f}, {0.9889f, 0.f}, {0.0221f, 0.9888f}, {0.0002f, 1.0112f}}), 0, 1e-4));
  EXPECT_TRUE(torch::allclose(
      SinkhornPlan(Unfair(), 0.5, 50),
      torch::tensor({{0.8701f, 0.1299f}, {0.7114f, 0.2886f}, {0.2502f, 0.7498f}, {0.1683f, 0.8317f}}), 0,
      1e-4));
  // At this epsilon fifty iterations do not reach balance, and exp overflows where sums are not of
  // logarithms.
  EXPECT_TRUE(
      torch::equal(SinkhornPlan(Unfair(), 0.003, 50).argmax(1), torch::tensor({0, 0, 0, 1}, torch::kInt64)));
}

TEST(Sinkhorn, SpreadsTokensEvenly) {
  torch::manual_seed(1);
  const auto rows = torch::randn({400, 3}), codewords = torch::randn({20, 3}) * 0.3 + 1;
  const auto counts = torch::bincount(UniformAssignment(rows, codewords, 0.02), {}, 20);
  EXPECT_GE(counts.min().item<int64_t>(), 4);
  EXPECT_LE(counts.max().item<int64_t>(), 40);
  EXPECT_EQ(torch::bincount(ClosestCodeword(rows, codewords), {}, 20).min().item<int64_t>(), 0);
}

TEST(CodebookUpdate, RandomNumbersAreThoseOfTheHash) {
  const auto drawn = TokenUniform(7, 3, 1000, 50, torch::kCPU);
  const HashRandom random(7, 3);
  for (int64_t i = 0; i < 50; ++i)
    EXPECT_EQ(drawn[i].item<double>(), random.Uniform(static_cast<uint64_t>(1000 + i)));
  EXPECT_TRUE(torch::equal(TokenUniforms(7, 2, 3, 1000, 50, torch::kCPU)[1], drawn));
}

}  // namespace
}  // namespace vqc
