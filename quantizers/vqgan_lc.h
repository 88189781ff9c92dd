// SPDX-License-Identifier: Apache-2.0
// VQGAN-LC (Zhu et al., NeurIPS 2024, arXiv 2406.11837): the codebook is a frozen set of features of a
// pretrained network behind a learned linear projector.
#pragma once

#include "quantizers/codebook_quantizer.h"

namespace vqc {

class VqganLc : public CodebookQuantizer {
 public:
  // Config: {"type": "vqgan_lc", "entries": 100000, "dim": 8, "features": 112} with the dimension of the
  // features, and optionally "commitment" (1), "codebook_loss" (0.33), "loss_weight" (0.1) and "estimator".
  static Result<std::shared_ptr<Quantizer>> Make(const nlohmann::json& config);
  VqganLc(int64_t entries, int64_t dim, int64_t features, const CodebookLoss& loss, Estimator estimator);

  // Takes the features of the codebook, [entries, features]: random until then. They are standardised over
  // the rows, dimension by dimension, because a common mean would make of all codewords one blob. Error
  // (kUsage): another shape, NaN or infinity.
  Status SetFeatures(const torch::Tensor& features);
  // Fits the projector by least squares, so that features [N, F] of some positions, standardised as the
  // codebook was, land on the latents [N, D] of the same positions. Error (kUsage): shapes that do not fit,
  // or N <= F.
  Status FitProjector(const torch::Tensor& features, const torch::Tensor& latents);

  // Where the features are the latents themselves, of the same dimension: the codebook becomes the centres of
  // k-means, and the projector what takes them back to where they were. Otherwise nothing.
  Status Initialize(const torch::Tensor& latents, uint64_t seed) override;

  torch::Tensor& frozen() { return frozen_; }  // [entries, features]
  torch::Tensor& weight() { return weight_; }  // [dim, features]
  torch::Tensor& bias() { return bias_; }      // [dim]

 protected:
  torch::Tensor LearnedCodewords() override;

 private:
  torch::Tensor frozen_, weight_, bias_;
  torch::Tensor mean_, deviation_;  // [features], of what SetFeatures got
};

}  // namespace vqc
