// SPDX-License-Identifier: Apache-2.0
// Index backpropagation quantization (Shi et al., ICCV 2025, arXiv 2412.02692): the codeword of the greatest
// inner product; gradients pass through the softmax over all inner products, so every step moves every
// codeword.
#pragma once

#include "quantizers/codebook_quantizer.h"

namespace vqc {

struct IbqOptions {
  int64_t entries = 0, dim = 0;
  CodebookLoss loss = {};
  double double_quantization = 1;  // weight of mean |z^ - z|^2 with the soft codeword z^
  double entropy = 0.1;            // weight of E[H(p)] - diversity * H(E[p]), in nats
  double diversity = 1, temperature = 0.01;
};

class Ibq : public CodebookQuantizer {
 public:
  // Config: {"type": "ibq", "entries": 16384, "dim": 32}, and optionally "commitment" (0.25), "codebook_loss"
  // (1), "loss_weight" (1), "double_quantization" (1), "entropy" (0.1), "diversity" (1) and "temperature"
  // (0.01).
  static Result<std::shared_ptr<Quantizer>> Make(const nlohmann::json& config);
  explicit Ibq(const IbqOptions& options);

  bool LearnsFromDecoder() const override { return true; }
  torch::Tensor& codebook() { return codebook_; }  // [entries, dim], of N(0, 1)

 protected:
  torch::Tensor LearnedCodewords() override { return codebook_; }
  QuantizerOutput DoForward(const torch::Tensor& latents) override;
  torch::Tensor DoEncode(const torch::Tensor& latents) override;

 private:
  IbqOptions options_;
  torch::Tensor codebook_;
};

// Rows ids [N] of codewords [K, D], as a product of one-hot rows h and codewords whose gradient takes h for
// softmax(rows codewords^T): rows [N, D] and all codewords get their share. No N x K matrix is kept; blocks
// are computed again for the gradient.
torch::Tensor SoftLookup(const torch::Tensor& rows, const torch::Tensor& codewords, const torch::Tensor& ids);

// E[H(p)] - diversity * H(E[p]) in nats, for p = softmax(rows codewords^T / temperature); by blocks as well.
torch::Tensor SoftmaxEntropy(const torch::Tensor& rows, const torch::Tensor& codewords, double temperature,
                             double diversity);

}  // namespace vqc
