// SPDX-License-Identifier: Apache-2.0
// Vector quantization (van den Oord et al., 2017, arXiv 1711.00937): the closest codeword in squared L2; and
// its variant on the unit sphere (Yu et al., ICLR 2022, arXiv 2110.04627), where latents and codewords are
// scaled to length 1 before they are compared, decoded and trained, so that the closest is that of the
// greatest cosine.
#pragma once

#include "quantizers/closest_codeword.h"
#include "quantizers/codebook_quantizer.h"

namespace vqc {

struct VqOptions {
  int64_t entries = 0, dim = 0;
  CodebookLoss loss = {};
  Estimator estimator = Estimator::kStraightThrough;
  bool by_ema = false;  // moving averages update the codebook, not gradients
  double uniform = 0;  // epsilon of UniformAssignment (sinkhorn.h), by which training assigns; 0: the closest
  EmaOptions ema = {};  // ema.unit: on the unit sphere
};

class Vq : public CodebookQuantizer {
 public:
  // Config: {"type": "vq", "entries": 16384, "dim": 8}, and optionally "commitment" (0.25), "codebook_loss"
  // (1), "loss_weight" (1), "estimator" ("straight-through" or "rotation"), "uniform" (0; above it training
  // spreads tokens evenly over the codewords, the more so the greater it is), "update" ("gradient" or "ema")
  // and for "ema" also "decay" (0.99) and "revive" (0.1: codewords that occur less than a tenth of the mean
  // are replaced; 0: none).
  static Result<std::shared_ptr<Quantizer>> Make(const nlohmann::json& config);
  static Result<std::shared_ptr<Quantizer>> MakeCosine(
      const nlohmann::json& config);  // "cosine", same fields
  explicit Vq(const VqOptions& options);

  void Update(const std::vector<CodebookSums>& seen, const TrainingStep& step) override;
  size_t Observed() const override { return options_.by_ema ? 1 : 0; }
  void Arrange() override;
  bool Recordable() const override { return options_.uniform <= 0; }
  Status Initialize(const torch::Tensor& latents, uint64_t seed) override;

  torch::Tensor& codebook() { return codebook_; }  // [entries, dim]
  torch::Tensor& counts() { return counts_; }      // of the moving average: [entries]
  torch::Tensor& sums() { return sums_; }          // [entries, dim]

 protected:
  torch::Tensor LearnedCodewords() override;
  torch::Tensor Prepared(const torch::Tensor& rows) const override;
  torch::Tensor Assigned(const torch::Tensor& rows, const torch::Tensor& learned) const override;
  std::vector<CodebookSums> DoObserve(const torch::Tensor& latents, const torch::Tensor& codes,
                                      const TrainingStep& step) override;

 private:
  VqOptions options_;
  torch::Tensor codebook_, counts_, sums_;
  bool started_ = false;  // the moving averages, here or where a state was loaded from
};

}  // namespace vqc
