// SPDX-License-Identifier: Apache-2.0
// CodewordNet: the network of the prior "codeword" while it is trained. Weights, vectors, units and queries
// are rounded in the forward pass as the integer network (entropy/codeword_network.h) has them, with
// straight-through gradients, so that what is learned is what is exported.
#pragma once

#include <torch/nn.h>

#include <cstdint>
#include <span>
#include <vector>

#include "entropy/codeword_network.h"

namespace vqc {

class CodewordNetImpl : public torch::nn::Module {
 public:
  // `meanings` are vectors [vocab, D] of each level's codewords to begin with, such as its codebook; none:
  // noise. `biases` are log frequencies [vocab] of each level.
  CodewordNetImpl(const CodewordShape& shape, std::span<const torch::Tensor> meanings,
                  std::span<const torch::Tensor> biases);

  // Bits of every token, [B, T, levels] float32, of codewords [B, T, levels] int64. Before the first frame
  // are none.
  torch::Tensor forward(const torch::Tensor& codewords);

  CodewordWeights Export() const;

 private:
  torch::Tensor Scale(size_t level) const;  // float32 scalar, the integer of the format

  CodewordShape shape_;
  std::vector<torch::Tensor> embed_, bias_;  // [vocab, E], [vocab]
  torch::Tensor first_, second_, first_bias_, second_bias_;
  std::vector<torch::Tensor> trunk_, part_, out_, head_bias_, out_bias_;
};
TORCH_MODULE(CodewordNet);

}  // namespace vqc
