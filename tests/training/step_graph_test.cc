// SPDX-License-Identifier: Apache-2.0
#include "training/step_graph.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "models/device.h"

namespace vqc {
namespace {

// Repeats of a step see the numbers of each repeat, whether they are computed or launched again.
void ExpectStepsFollowTheirInputs(torch::Device device) {
  const auto options = torch::dtype(torch::kFloat32).device(device);
  StepGraph graph(device);
  auto weight = torch::ones({3}, options).requires_grad_();
  const auto input = torch::zeros({3}, options);
  torch::Tensor sum;
  for (int kind : {0, 1}) {
    for (int step = 0; step < 8; ++step) {
      input.fill_(step);
      graph.Run(kind, {weight}, [&] {
        const auto loss = (weight * input * (kind + 1)).sum();
        loss.backward();
        sum = loss.detach();
      });
      const double expected = step * (kind + 1);
      EXPECT_EQ(sum.item<float>(), 3 * expected * weight[0].item<float>()) << step;
      ASSERT_TRUE(weight.grad().defined());
      EXPECT_EQ(weight.grad()[1].item<float>(), expected) << step;
      weight.mutable_grad().reset();
      const torch::NoGradGuard no_grad;
      weight.add_(1);
    }
  }
}

TEST(StepGraph, StepsFollowTheirInputs) { ExpectStepsFollowTheirInputs(torch::kCPU); }

TEST(StepGraph, StepsFollowTheirInputsOnGpu) {
  const auto device = ResolveDevice("cuda");
  if (!device.ok()) GTEST_SKIP() << device.error().message;
  ExpectStepsFollowTheirInputs(*device);
}

}  // namespace
}  // namespace vqc
