// SPDX-License-Identifier: Apache-2.0
#include "training/patch_discriminator.h"

#include <torch/torch.h>

namespace vqc {
namespace {

constexpr int64_t kWidth = 64, kGroups = 8;
constexpr double kSlope = 0.2;

torch::nn::Conv2d Conv(int64_t in, int64_t out, int64_t stride) {
  return torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, 4).stride(stride).padding(1));
}

torch::nn::LeakyReLU Activation() {
  return torch::nn::LeakyReLU(torch::nn::LeakyReLUOptions().negative_slope(kSlope));
}

}  // namespace

PatchDiscriminatorImpl::PatchDiscriminatorImpl() {
  body_->push_back(Conv(3, kWidth, 2));
  body_->push_back(Activation());
  int64_t width = kWidth;
  for (const int64_t stride : {2, 2, 1}) {
    body_->push_back(Conv(width, 2 * width, stride));
    body_->push_back(torch::nn::GroupNorm(kGroups, 2 * width));
    body_->push_back(Activation());
    width *= 2;
  }
  body_->push_back(Conv(width, 1, 1));
  register_module("body", body_);
}

torch::Tensor PatchDiscriminatorImpl::forward(const torch::Tensor& images) { return body_->forward(images); }

torch::Tensor HingeLoss(const torch::Tensor& of_photos, const torch::Tensor& of_decoded) {
  return torch::relu(1 - of_photos.to(torch::kFloat32)).mean() +
         torch::relu(1 + of_decoded.to(torch::kFloat32)).mean();
}

}  // namespace vqc
