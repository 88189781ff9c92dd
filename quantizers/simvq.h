// SPDX-License-Identifier: Apache-2.0
// SimVQ (Zhu et al., 2024, arXiv 2411.02038): the codebook is a frozen random one behind a learned linear
// layer, so every step moves every codeword.
#pragma once

#include "quantizers/codebook_quantizer.h"

namespace vqc {

class SimVq : public CodebookQuantizer {
 public:
  // Config: {"type": "simvq", "entries": 65536, "dim": 16}, and optionally "commitment" (0.25),
  // "codebook_loss" (1), "loss_weight" (1; the authors use 1000 for audio) and "estimator"
  // ("straight-through" or "rotation").
  static Result<std::shared_ptr<Quantizer>> Make(const nlohmann::json& config);
  SimVq(int64_t entries, int64_t dim, const CodebookLoss& loss, Estimator estimator);

  // The frozen codebook becomes the centres of k-means, and the layer the identity.
  Status Initialize(const torch::Tensor& latents, uint64_t seed) override;

  torch::Tensor& frozen() { return frozen_; }  // [entries, dim], of N(0, 1 / dim)
  torch::Tensor& weight() { return weight_; }  // [dim, dim]
  torch::Tensor& bias() { return bias_; }      // [dim]

 protected:
  torch::Tensor LearnedCodewords() override;

 private:
  torch::Tensor frozen_, weight_, bias_;
};

}  // namespace vqc
