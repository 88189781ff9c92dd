// SPDX-License-Identifier: Apache-2.0
// What quantizers have in common that take the closest of K codewords, wherever the codewords come from.
#pragma once

#include <mutex>

#include "quantizers/estimator.h"
#include "quantizers/quantizer.h"
#include "quantizers/quantizer_config.h"

namespace vqc {

// loss = weight * (codebook * mean |sg(z) - c|^2 + commitment * mean |z - sg(c)|^2), means over tokens and
// dimensions. The codebook's term is left out where no gradient reaches it.
struct CodebookLoss {
  double commitment = 0.25, codebook = 1, weight = 1;

  // Fields "commitment", "codebook_loss" and "loss_weight", where these are what a missing field means.
  static CodebookLoss Read(ConfigReader& reader, const CodebookLoss& otherwise);
};

class CodebookQuantizer : public Quantizer {
 public:
  std::vector<uint32_t> Vocab() const override { return {static_cast<uint32_t>(entries_)}; }
  int Dim() const override { return static_cast<int>(dim_); }
  std::vector<torch::Tensor> Codebooks() override { return {Codewords()}; }
  void train(bool on = true) override;

  // [K, D], detached: what Encode searches and Decode looks up. Where the closest in squared L2 is taken, a
  // plain "vq" with this codebook gives the same ids for prepared latents, and the same values, bit for bit.
  // In evaluation mode they are those of when it was entered.
  torch::Tensor Codewords();

 protected:
  // `computed`: whether codewords follow from other parameters, so that evaluation keeps them.
  CodebookQuantizer(int64_t entries, int64_t dim, CodebookLoss loss, Estimator estimator, bool computed)
      : entries_(entries), dim_(dim), loss_(loss), estimator_(estimator), computed_(computed) {}

  // The codewords [K, D] before they are prepared, differentiable.
  virtual torch::Tensor LearnedCodewords() = 0;
  // Rows [N, D] of latents or of learned codewords as they are compared, differentiable. Each row for itself:
  // training passes gradients through the codewords that were chosen, not through the whole codebook.
  virtual torch::Tensor Prepared(const torch::Tensor& rows) const { return rows; }
  // The one of the learned codewords that each prepared row gets, [N]: the closest, unless a quantizer has
  // other plans for training.
  virtual torch::Tensor Assigned(const torch::Tensor& rows, const torch::Tensor& learned) const;

  QuantizerOutput DoForward(const torch::Tensor& latents) override;
  torch::Tensor DoEncode(const torch::Tensor& latents) override;
  torch::Tensor DoDecode(const torch::Tensor& codes) override;
  // The centres of k-means over the prepared rows of latents, [K, D] on their device.
  Result<torch::Tensor> Centres(const torch::Tensor& latents, uint64_t seed) const;
  const CodebookLoss& loss() const { return loss_; }

 private:
  int64_t entries_, dim_;
  CodebookLoss loss_;
  Estimator estimator_;
  bool computed_;
  torch::Tensor kept_;  // of evaluation mode
  std::mutex mutex_;
};

}  // namespace vqc
