// SPDX-License-Identifier: Apache-2.0
// A quantizer between two learned linear layers: the factorised codebooks of ViT-VQGAN (arXiv 2110.04627) and
// DAC (arXiv 2306.06546), which search few dimensions and decode many, and the usual way to FSQ, LFQ and BSQ.
#pragma once

#include "quantizers/composite.h"

namespace vqc {

class Projected : public Composite {
 public:
  // Config: {"type": "projected", "dim": 256, "quantizer": {"type": "cosine", "entries": 8192, "dim": 8}}.
  static Result<std::shared_ptr<Quantizer>> Make(const nlohmann::json& config);
  Projected(int64_t dim, std::shared_ptr<Quantizer> inner);

  int Dim() const override { return static_cast<int>(in_weight_.size(1)); }
  bool LearnsFromDecoder() const override { return true; }
  torch::Tensor Positions(const torch::Tensor& latents) const override;

 protected:
  QuantizerOutput DoForward(const torch::Tensor& latents) override;
  torch::Tensor DoDecode(const torch::Tensor& codes) override;
  torch::Tensor Share(const torch::Tensor& latents, size_t part) const override;

 private:
  torch::Tensor Out(const torch::Tensor& quantized) const;

  torch::Tensor in_weight_, in_bias_, out_weight_, out_bias_;
};

}  // namespace vqc
