// SPDX-License-Identifier: Apache-2.0
#include "training/gradient_balance.h"

#include <torch/torch.h>

#include <numeric>

#include "training/quantized_network.h"

namespace vqc {
namespace {

constexpr double kDecay = 0.99;
constexpr char kName[] = "balance.lengths";

}  // namespace

GradientBalance::GradientBalance(size_t losses, torch::Device device)
    : lengths_(torch::zeros({static_cast<int64_t>(losses)}, torch::TensorOptions().device(device))) {}

torch::Tensor GradientBalance::At(const torch::Tensor& x, const std::vector<torch::Tensor>& losses,
                                  const std::vector<double>& weights) {
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  torch::Tensor sum = torch::zeros_like(x);
  for (size_t i = 0; i < losses.size(); ++i) {
    if (weights[i] == 0) continue;
    const auto gradient = torch::autograd::grad({losses[i]}, {x})[0];
    const torch::NoGradGuard no_grad;
    auto length = lengths_.select(0, static_cast<int64_t>(i));
    const auto now = gradient.norm();
    length.copy_(torch::where(length > 0, torch::lerp(now, length, kDecay), now));
    sum.add_(gradient * (weights[i] / total / length.clamp_min(1e-30)));
  }
  return sum;
}

void GradientBalance::Save(TensorBag& bag) const { bag.Add(kName, lengths_, DType::kF32); }

Status GradientBalance::Load(const SafeTensors& state) { return ReadInto(state, kName, lengths_); }

}  // namespace vqc
