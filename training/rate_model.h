// SPDX-License-Identifier: Apache-2.0
// RateModel: how many bits a token map costs, as a differentiable estimate, for training only.
//
// Every digit of an FSQ token is predicted from the tokens before it in raster order (a masked 5 x 5
// convolution) and from the digits before it in its own token. The files are coded by an integer prior
// (entropy/); this network only shapes the latents so that there is something to predict.
#pragma once

#include <torch/nn.h>

#include "quantizers/fsq.h"

namespace vqc {

class RateModelImpl : public torch::nn::Module {
 public:
  explicit RateModelImpl(std::vector<uint32_t> levels);

  // latents and quantized: [B, D, h, w] of `quantizer`. Returns bits per token, a scalar. Its gradient
  // reaches the latents through the difference in cost of the two digits a latent lies between, and through
  // the context.
  torch::Tensor forward(Fsq& quantizer, const torch::Tensor& latents, const torch::Tensor& quantized);

 private:
  std::vector<uint32_t> levels_;
  int64_t dims_, most_;  // D and the largest level count
  torch::nn::Conv2d context_, hidden_, from_context_, from_digits_, out_;
  torch::Tensor causal_mask_, digit_mask_, absent_;
};
TORCH_MODULE(RateModel);

}  // namespace vqc
