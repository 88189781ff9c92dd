// SPDX-License-Identifier: Apache-2.0
// Finite scalar quantization (Mentzer et al., ICLR 2024, arXiv 2309.15505).
//
// Each of the D latent dimensions is squashed by tanh and rounded to one of L_j values; the id is the mixed
// radix number of the D digits, first dimension least significant. No codebook, no auxiliary loss.
#pragma once

#include "quantizers/quantizer.h"

namespace vqc {

class Fsq : public Quantizer {
 public:
  static constexpr int kMinLevels = 3, kMaxLevels = 64;

  // Config: {"type": "fsq", "levels": [8, 8, 8, 5, 5, 5]}; the product is at most 2^20. Optionally "noise"
  // (0): in training, the share of the digits that get uniform noise of one interval instead of being rounded
  // (Parker et al., 2024, arXiv 2411.19842). Codes are those of rounding all the same.
  static Result<std::shared_ptr<Quantizer>> Make(const nlohmann::json& config);
  explicit Fsq(std::vector<uint32_t> levels, double noise = 0);

  std::vector<uint32_t> Vocab() const override;
  int Dim() const override { return static_cast<int>(levels_.size()); }
  torch::Tensor Positions(const torch::Tensor& latents) const override { return Bound(latents); }
  std::vector<std::vector<uint32_t>> Factors() const override { return {levels_}; }

  // Squashed latents before rounding: digit scale, in (-0.5, L_j - 0.5). Differentiable.
  torch::Tensor Bound(const torch::Tensor& latents) const;
  // What is decoded for latents where nothing is rounded, [B, D, ...] in about [-1, 1]. Differentiable.
  torch::Tensor Unrounded(const torch::Tensor& latents) const;
  // Digits [B, D, ...] int64 of latents: which interval between decision thresholds each falls in. A plain
  // comparison of float32 values, so it does not depend on how a machine computes tanh.
  torch::Tensor Digits(const torch::Tensor& latents) const;
  // Digits to values in [-1, 1].
  torch::Tensor Values(const torch::Tensor& digits) const;

 private:
  QuantizerOutput DoForward(const torch::Tensor& latents) override;
  torch::Tensor DoEncode(const torch::Tensor& latents) override;
  torch::Tensor DoDecode(const torch::Tensor& codes) override;
  torch::Tensor PerDim(const torch::Tensor& values, const torch::Tensor& like) const;

  std::vector<uint32_t> levels_;
  double noise_;
  std::vector<torch::Tensor> thresholds_;         // of dimension j: [L_j - 1] ascending
  torch::Tensor half_, offset_, shift_, middle_;  // [D]
};

}  // namespace vqc
