// SPDX-License-Identifier: Apache-2.0
// Building blocks of the image networks. All work on [B, C, H, W], channels last in memory, and see a bounded
// neighbourhood: norms run over the channels of one position, never over space.
#pragma once

#include <torch/nn.h>

namespace vqc::nn {

// Layer norm over the channels of each position.
class ChannelNormImpl : public torch::nn::Module {
 public:
  explicit ChannelNormImpl(int64_t channels);
  torch::Tensor forward(const torch::Tensor& x);

 private:
  torch::Tensor weight_, bias_;  // [C]
};
TORCH_MODULE(ChannelNorm);

// x + Conv1x1(SiLU(Conv3x3(Norm(x)))): sees one position to each side.
class ResidualBlockImpl : public torch::nn::Module {
 public:
  explicit ResidualBlockImpl(int64_t channels);
  torch::Tensor forward(const torch::Tensor& x);

 private:
  ChannelNorm norm_;
  torch::nn::Conv2d spatial_, mix_;
};
TORCH_MODULE(ResidualBlock);

// Convolution with zero padding that keeps the size (stride 1, odd kernel).
torch::nn::Conv2d Conv(int64_t in, int64_t out, int64_t kernel);
// Halves the size: 2 x 2 convolution with stride 2.
torch::nn::Conv2d Down(int64_t in, int64_t out);

// Doubles the size: 1 x 1 convolution to 4 * out channels, then pixel shuffle.
class UpImpl : public torch::nn::Module {
 public:
  UpImpl(int64_t in, int64_t out);
  torch::Tensor forward(const torch::Tensor& x);

 private:
  torch::nn::Conv2d expand_;
};
TORCH_MODULE(Up);

}  // namespace vqc::nn
