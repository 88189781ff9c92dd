// SPDX-License-Identifier: Apache-2.0
#include "quantizers/codeword_order.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "quantizers/quantizer.h"

namespace vqc {
namespace {

// Mean squared distance of codewords to the mean of those with the same leading digit (of 16).
double Spread(const torch::Tensor& codewords) {
  const auto groups = codewords.reshape({16, -1, codewords.size(1)});
  return (groups - groups.mean(1, true)).square().mean().item<double>();
}

TEST(CodewordOrder, IsAPermutationThatPutsNeighboursUnderOneDigit) {
  torch::manual_seed(3);
  const auto codewords = torch::randn({256, 4});
  const auto order = OrderByPrincipalAxes(codewords);
  EXPECT_TRUE(torch::equal(std::get<0>(order.sort()), torch::arange(256)));
  EXPECT_LT(Spread(codewords.index_select(0, order)), 0.5 * Spread(codewords));
}

TEST(CodewordOrder, SortsALine) {
  const auto line = torch::tensor({5.0f, 1.0f, 3.0f, 2.0f, 4.0f}).unsqueeze(1);
  const auto sorted = line.index_select(0, OrderByPrincipalAxes(line)).squeeze(1);
  const auto up = torch::tensor({1.0f, 2.0f, 3.0f, 4.0f, 5.0f});
  EXPECT_TRUE(torch::equal(sorted, up) || torch::equal(sorted, up.flip(0))) << sorted;
}

TEST(CodewordOrder, TakesEqualCodewordsAndFewOfThem) {
  EXPECT_EQ(OrderByPrincipalAxes(torch::zeros({9, 3})).size(0), 9);
  EXPECT_EQ(OrderByPrincipalAxes(torch::zeros({1, 3})).size(0), 1);
}

TEST(CodewordOrder, LeavesWhatIsDecodedAsItWas) {
  torch::manual_seed(4);
  auto made = MakeQuantizer({{"type", "residual"},
                             {"levels", 2},
                             {"quantizer", {{"type", "vq"}, {"entries", 32}, {"dim", 3}, {"update", "ema"}}}});
  ASSERT_TRUE(made.ok());
  Quantizer& quantizer = **made;
  const auto latents = torch::randn({2, 3, 50});
  const auto codes = quantizer.Encode(latents);
  const auto decoded = quantizer.Decode(codes);
  quantizer.Arrange();
  EXPECT_FALSE(torch::equal(quantizer.Encode(latents), codes));
  EXPECT_TRUE(torch::equal(quantizer.Decode(quantizer.Encode(latents)), decoded));
}

}  // namespace
}  // namespace vqc
