// SPDX-License-Identifier: Apache-2.0
// Residual quantization (Zeghidour et al., 2021, arXiv 2107.03312; Lee et al., 2022, arXiv 2203.01941): each
// level quantizes what the levels before left over; quantized latents are the sum over the levels.
//
// The gradient of the sum goes to the latents once, straight through, and residuals are cut from it: the
// decoder's gradient is not multiplied by the number of levels, and each level's commitment loss reaches the
// latents. Levels that learn from the decoder (projections) are neither cut nor bypassed, as in Kumar et al.,
// 2023, arXiv 2306.06546.
#pragma once

#include "quantizers/composite.h"

namespace vqc {

class Residual : public Composite {
 public:
  // Config: {"type": "residual", "levels": 8, "quantizer": {...}}, and optionally "shared" (false: each level
  // has a codebook of its own) and "dropout" (0): the share of the samples of a training batch that use only
  // the first n levels, n uniform from 1 to all, so that one model serves every number of levels.
  static Result<std::shared_ptr<Quantizer>> Make(const nlohmann::json& config);
  Residual(QuantizerParts parts, bool shared, double dropout);

  int Dim() const override { return parts().front()->Dim(); }
  size_t Observed() const override { return shared_ ? parts().front()->Observed() : Composite::Observed(); }
  std::vector<torch::Tensor> Codebooks() override;
  void Update(const std::vector<CodebookSums>& seen, const TrainingStep& step) override;
  Status Initialize(const torch::Tensor& latents, uint64_t seed) override;

  // What the first `count` quantizers give: codes as of Decode.
  torch::Tensor DecodeFirst(const torch::Tensor& codes, size_t count);

 protected:
  // loss: the sum over the levels. Latents of samples that do not use a level learn nothing from it; its
  // codewords do from them.
  QuantizerOutput DoForward(const torch::Tensor& latents) override;
  torch::Tensor DoEncode(const torch::Tensor& latents) override;
  torch::Tensor DoDecode(const torch::Tensor& codes) override { return DecodeFirst(codes, parts().size()); }
  std::vector<CodebookSums> DoObserve(const torch::Tensor& latents, const torch::Tensor& codes,
                                      const TrainingStep& step) override;
  torch::Tensor Share(const torch::Tensor& latents, size_t) const override { return latents; }

 private:
  // Number of levels that each sample uses, that of all or more for all: [B, 1, ...] int64 where latents are.
  torch::Tensor Depths(const torch::Tensor& latents) const;

  bool shared_;
  double dropout_;
};

}  // namespace vqc
