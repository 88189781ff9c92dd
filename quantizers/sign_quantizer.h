// SPDX-License-Identifier: Apache-2.0
// Quantizers whose codes are the signs of the latents, a bit each; there is no codebook to learn or to
// search.
//
// LFQ, lookup-free quantization (Yu et al., ICLR 2024, arXiv 2310.05737): values -1 and 1.
// BSQ, binary spherical quantization (Zhao et al., 2024, arXiv 2406.07548): latents u are scaled to length 1
// first; values are -1 and 1 over the root of the number of bits.
//
// Both can be trained with an entropy loss over the codes c with p(c | u) = softmax(2 u c / temperature):
// codes should be certain for each latent, and all equally likely over a batch. Because each c is a product
// of signs, p is a product of one sigmoid a bit, and the entropy of a latent is exactly the sum over its
// bits. The mean of p over a batch is one product of matrices for two halves of the bits, so its entropy is
// exact too, for as many bits as 2^bits numbers fit into memory; beyond that, groups of bits count as
// independent.
#pragma once

#include "quantizers/quantizer.h"

namespace vqc {

struct SignOptions {
  int64_t bits = 0;    // D
  int64_t tokens = 1;  // levels; each holds bits / tokens consecutive bits, the first the most significant
  bool sphere = false;
  double commitment = 0;  // weight of mean (u - sg(q))^2
  double entropy = 0;     // weight of E[H(p)] - diversity * H(E[p]), in nats
  double diversity = 1;
  double temperature = 1;
  int64_t group = 1;  // bits whose joint distribution the batch entropy looks at
};

class SignQuantizer : public Quantizer {
 public:
  // Config: {"type": "lfq", "bits": 14}, and optionally "tokens" (1), "commitment" (0.25), "entropy" (0.1),
  // "diversity" (1), "temperature" (0.01) and "group" (bits / tokens).
  static Result<std::shared_ptr<Quantizer>> MakeLfq(const nlohmann::json& config);
  // Config: {"type": "bsq", "bits": 18}, and optionally the same: "commitment" (0), "entropy" (0.1),
  // "diversity" (1), "temperature" (1), "group" (1).
  static Result<std::shared_ptr<Quantizer>> MakeBsq(const nlohmann::json& config);
  explicit SignQuantizer(const SignOptions& options);

  std::vector<uint32_t> Vocab() const override;
  int Dim() const override { return static_cast<int>(options_.bits); }
  torch::Tensor Positions(const torch::Tensor& latents) const override;
  std::vector<std::vector<uint32_t>> Factors() const override;

  // E[H(p)] of rows u [N, bits] as they are compared (on the sphere for BSQ), in nats. Differentiable.
  torch::Tensor TokenEntropy(const torch::Tensor& rows) const;
  // H(E[p]), the sum over the groups, in nats. Differentiable.
  torch::Tensor BatchEntropy(const torch::Tensor& rows) const;

 protected:
  QuantizerOutput DoForward(const torch::Tensor& latents) override;
  torch::Tensor DoEncode(const torch::Tensor& latents) override;
  torch::Tensor DoDecode(const torch::Tensor& codes) override;

 private:
  static Result<std::shared_ptr<Quantizer>> Make(const nlohmann::json& config, SignOptions options);
  torch::Tensor Prepared(const torch::Tensor& latents) const;  // [B, D, ...]
  torch::Tensor Logits(const torch::Tensor& rows) const;       // of each bit being 1

  SignOptions options_;
  double value_;  // 1, or 1 over the root of the number of bits
};

}  // namespace vqc
