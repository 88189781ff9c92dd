// SPDX-License-Identifier: Apache-2.0
// Product quantization (Jegou et al., 2011), also called grouped: latents are cut into slices of dimensions,
// each with a quantizer of its own. And its relative in which all quantizers see all dimensions.
#pragma once

#include "quantizers/composite.h"

namespace vqc {

class Product : public Composite {
 public:
  // Config: {"type": "product", "groups": 4, "quantizer": {...}}: latents have 4 times the dimensions of the
  // part. Optionally "dim", which must agree with that.
  static Result<std::shared_ptr<Quantizer>> Make(const nlohmann::json& config);
  explicit Product(QuantizerParts parts) : Composite(std::move(parts)) {}

  int Dim() const override { return static_cast<int>(parts().size()) * parts().front()->Dim(); }
  torch::Tensor Positions(const torch::Tensor& latents) const override;

 protected:
  QuantizerOutput DoForward(const torch::Tensor& latents) override;  // loss: the mean over the groups
  torch::Tensor DoDecode(const torch::Tensor& codes) override;
  torch::Tensor Share(const torch::Tensor& latents, size_t part) const override;
};

// Parallel codebooks: every quantizer sees the latents, usually through a projection of its own, and
// quantized latents are the mean of what they give (the experts of Xing et al., 2025, arXiv 2508.15308, with
// equal weights, so that there is nothing to transmit beside the ids). Ids have no order, and one that is
// lost costs little.
class Parallel : public Composite {
 public:
  // Config: {"type": "parallel", "heads": 4, "quantizer": {"type": "projected", ...}}.
  static Result<std::shared_ptr<Quantizer>> Make(const nlohmann::json& config);
  explicit Parallel(QuantizerParts parts) : Composite(std::move(parts)) {}

  int Dim() const override { return parts().front()->Dim(); }

 protected:
  QuantizerOutput DoForward(const torch::Tensor& latents) override;  // loss: the mean over the heads
  torch::Tensor DoDecode(const torch::Tensor& codes) override;
  torch::Tensor Share(const torch::Tensor& latents, size_t) const override { return latents; }
};

}  // namespace vqc
