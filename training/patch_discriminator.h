// SPDX-License-Identifier: Apache-2.0
// PatchDiscriminator: tells decoded pictures from photos, patch by patch (Isola et al. 2017, arXiv
// 1611.07004).
#pragma once

#include <torch/nn.h>

namespace vqc {

// Images [B, 3, H, W] in [-1, 1] -> scores [B, 1, h, w], higher for what looks like a photo; a score sees 70
// x 70 pixels.
class PatchDiscriminatorImpl : public torch::nn::Module {
 public:
  PatchDiscriminatorImpl();
  torch::Tensor forward(const torch::Tensor& images);

 private:
  torch::nn::Sequential body_;
};
TORCH_MODULE(PatchDiscriminator);

// Hinge loss: scores of photos above 1, of decoded pictures below -1.
torch::Tensor HingeLoss(const torch::Tensor& of_photos, const torch::Tensor& of_decoded);

}  // namespace vqc
