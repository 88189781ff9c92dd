// SPDX-License-Identifier: Apache-2.0
#include "training/rate_model.h"

#include <torch/torch.h>

#include <algorithm>

namespace vqc {
namespace {

constexpr int64_t kWidth = 128, kDigitWidth = 48, kReach = 2;

torch::nn::Conv2d Pointwise(int64_t in, int64_t out, int64_t groups = 1) {
  return torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, 1).groups(groups));
}

}  // namespace

RateModelImpl::RateModelImpl(std::vector<uint32_t> levels)
    : levels_(std::move(levels)),
      dims_(static_cast<int64_t>(levels_.size())),
      most_(*std::max_element(levels_.begin(), levels_.end())),
      context_(torch::nn::Conv2dOptions(dims_, kWidth, 2 * kReach + 1).padding(kReach)),
      hidden_(Pointwise(kWidth, kWidth)),
      from_context_(Pointwise(kWidth, dims_ * kDigitWidth)),
      from_digits_(Pointwise(dims_, dims_ * kDigitWidth)),
      out_(Pointwise(dims_ * kDigitWidth, dims_ * most_, dims_)) {
  register_module("context", context_);
  register_module("hidden", hidden_);
  register_module("from_context", from_context_);
  register_module("from_digits", from_digits_);
  register_module("out", out_);
  auto causal = torch::zeros({1, 1, 2 * kReach + 1, 2 * kReach + 1});
  causal.slice(2, 0, kReach).fill_(1);
  causal.select(2, kReach).slice(2, 0, kReach).fill_(1);
  causal_mask_ = register_buffer("causal_mask", causal);
  auto digits = torch::zeros({dims_ * kDigitWidth, dims_, 1, 1});
  auto absent = torch::zeros({1, dims_, most_, 1, 1});
  for (int64_t j = 0; j < dims_; ++j) {
    digits.slice(0, j * kDigitWidth, (j + 1) * kDigitWidth).slice(1, 0, j).fill_(1);
    absent.select(1, j).slice(1, levels_[j], most_).fill_(-1e9);
  }
  digit_mask_ = register_buffer("digit_mask", digits);
  absent_ = register_buffer("absent", absent);
}

torch::Tensor RateModelImpl::forward(Fsq& quantizer, const torch::Tensor& latents,
                                     const torch::Tensor& quantized) {
  auto h = torch::conv2d(quantized, context_->weight * causal_mask_, context_->bias, 1, kReach);
  h = torch::silu(hidden_->forward(torch::silu(h)));
  const auto own = torch::conv2d(quantized, from_digits_->weight * digit_mask_, from_digits_->bias);
  const auto logits = out_->forward(torch::silu(from_context_->forward(h) + own));
  // [B, D, L, h, w]
  const auto shaped = logits.view({logits.size(0), dims_, most_, logits.size(2), logits.size(3)}) + absent_;
  const auto bits = -torch::log_softmax(shaped, 2) / std::log(2.0);

  const auto digits = quantizer.Digits(latents.detach()).unsqueeze(2);
  const auto cost = bits.gather(2, digits).squeeze(2);

  // The slope of the cost between the two digits around the unrounded latent, without a gradient of its own.
  const auto bound = quantizer.Bound(latents);
  std::vector<float> top;
  for (uint32_t l : levels_) top.push_back(static_cast<float>(l) - 2);
  const auto last = torch::tensor(top, bound.options()).view({1, dims_, 1, 1});
  const auto low =
      torch::minimum(torch::clamp_min(bound.detach().floor(), 0), last).to(torch::kInt64).unsqueeze(2);
  const auto fixed = bits.detach();
  const auto slope = (fixed.gather(2, low + 1) - fixed.gather(2, low)).squeeze(2);
  const auto total = cost + slope * (bound - bound.detach());
  return total.sum(1).mean();
}

}  // namespace vqc
