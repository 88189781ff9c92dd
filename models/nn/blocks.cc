// SPDX-License-Identifier: Apache-2.0
#include "models/nn/blocks.h"

#include <torch/torch.h>

namespace vqc::nn {
namespace {
constexpr double kNormEpsilon = 1e-5;
}

ChannelNormImpl::ChannelNormImpl(int64_t channels) {
  weight_ = register_parameter("weight", torch::ones({channels}));
  bias_ = register_parameter("bias", torch::zeros({channels}));
}

torch::Tensor ChannelNormImpl::forward(const torch::Tensor& x) {
  // A view in channels-last memory: no copy.
  return torch::layer_norm(x.permute({0, 2, 3, 1}), {weight_.size(0)}, weight_, bias_, kNormEpsilon)
      .permute({0, 3, 1, 2});
}

ResidualBlockImpl::ResidualBlockImpl(int64_t channels)
    : norm_(channels), spatial_(Conv(channels, channels, 3)), mix_(Conv(channels, channels, 1)) {
  register_module("norm", norm_);
  register_module("spatial", spatial_);
  register_module("mix", mix_);
  // Near the identity at the start, so that depth does not hurt.
  torch::NoGradGuard no_grad;
  mix_->weight.mul_(0.2);
}

torch::Tensor ResidualBlockImpl::forward(const torch::Tensor& x) {
  return x + mix_->forward(torch::silu(spatial_->forward(norm_->forward(x))));
}

torch::nn::Conv2d Conv(int64_t in, int64_t out, int64_t kernel) {
  return torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, kernel).padding(kernel / 2));
}

torch::nn::Conv2d Down(int64_t in, int64_t out) {
  return torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, 2).stride(2));
}

UpImpl::UpImpl(int64_t in, int64_t out) : expand_(Conv(in, 4 * out, 1)) {
  register_module("expand", expand_);
}

torch::Tensor UpImpl::forward(const torch::Tensor& x) { return torch::pixel_shuffle(expand_->forward(x), 2); }

}  // namespace vqc::nn
