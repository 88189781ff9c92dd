// SPDX-License-Identifier: Apache-2.0
// PriorNetwork: the network of the prior "neural" while it is trained. Weights and units are rounded in the
// forward pass as the integer network (entropy/neural_network.h) has them, with straight-through gradients,
// so that what is learned is what is exported. The window alone is exact in training: a neighbour's digit
// counts by its value and the square of it, not by a free number for each value, because there are few tokens
// to learn from.
#pragma once

#include <torch/nn.h>

#include <cstdint>
#include <vector>

#include "entropy/neural_network.h"

namespace vqc {

class PriorNetworkImpl : public torch::nn::Module {
 public:
  PriorNetworkImpl(const NeuralShape& shape, torch::Dtype compute);

  // Bits of every digit, [B, h, w, D] float32. `digits` is [B, h, w, D] int64; `times` [B, h, w] int32 says
  // when a token becomes known: it is predicted from the tokens of earlier times.
  torch::Tensor forward(const torch::Tensor& digits, const torch::Tensor& times);

  // Rounded to the integers of the format; the finest window weights that fit are chosen.
  NeuralWeights Export(NeuralShape& shape) const;

 private:
  torch::Tensor Neighbours(const torch::Tensor& digits, const torch::Tensor& times) const;
  torch::Tensor WindowRows() const;

  NeuralShape shape_;
  torch::Dtype compute_;
  torch::Tensor window_, window_bias_;  // [N, F, H] and [H]
  std::vector<torch::Tensor> hidden_, hidden_bias_;
  torch::Tensor head_, own_, head_bias_;  // [H, D * G], [S, D * G], [D * G]
  torch::Tensor out_, out_bias_;          // [D, G, R], [D, R]
  torch::Tensor own_mask_, absent_;
  torch::Tensor features_;  // [S, F]: what a digit's value is to the window
};
TORCH_MODULE(PriorNetwork);

}  // namespace vqc
