// SPDX-License-Identifier: Apache-2.0
#include "training/optimizer.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "quantizers/closest_codeword.h"

namespace vqc {
namespace {

// Searches keep what they made of a codebook until its version counter says that it has changed; the fused
// kernels must raise it.
class OptimizerAveraging : public ::testing::TestWithParam<double> {};

TEST_P(OptimizerAveraging, StepsAreSeenBySearches) {
  torch::manual_seed(3);
  auto codebook = torch::randn({300, 4}).set_requires_grad(true);
  Optimizer optimizer({{"codebook", codebook}}, {.average = GetParam()});
  const auto points = torch::randn({500, 4});
  const auto expect_closest = [&](const char* after) {
    const auto found = ClosestCodeword(points, codebook);
    EXPECT_TRUE(
        torch::equal(found, ClosestCodeword(points.to(torch::kFloat64), codebook.to(torch::kFloat64))))
        << after;
    return found;
  };
  auto before = expect_closest("the start");
  for (int step = 0; step < 3; ++step) {
    const auto version = codebook._version();
    torch::mse_loss(codebook, torch::randn_like(codebook)).backward();
    optimizer.Step(0.3);
    EXPECT_GT(codebook._version(), version);
    const auto now = expect_closest("a step");
    EXPECT_FALSE(torch::equal(now, before));
    before = now;
  }
  optimizer.UseAverage();
  EXPECT_EQ(torch::equal(expect_closest("UseAverage"), before), GetParam() == 0);
  optimizer.UseMaster();
  EXPECT_TRUE(torch::equal(expect_closest("UseMaster"), before));
}

INSTANTIATE_TEST_SUITE_P(Optimizer, OptimizerAveraging, ::testing::Values(0.999, 0.0));

}  // namespace
}  // namespace vqc
