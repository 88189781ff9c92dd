// SPDX-License-Identifier: Apache-2.0
// What quantizers have in common that are made of others. Their levels are those of the parts, one part after
// another.
#pragma once

#include "quantizers/quantizer.h"
#include "quantizers/quantizer_config.h"

namespace vqc {

using QuantizerParts = std::vector<std::shared_ptr<Quantizer>>;

// `count` quantizers of the config's field "quantizer"; with `shared` one and the same. Errors (kModel) are
// also more parts in parts, more levels and more parameters than quantizer_config.h allows.
Result<QuantizerParts> MakeParts(ConfigReader& reader, int64_t count, bool shared = false);

class Composite : public Quantizer {
 public:
  std::vector<uint32_t> Vocab() const override;
  std::vector<std::vector<uint32_t>> Factors() const override;
  std::vector<torch::Tensor> Codebooks() override;
  bool LearnsFromDecoder() const override;
  bool Recordable() const override;
  size_t Observed() const override;
  void Arrange() override;
  void Update(const std::vector<CodebookSums>& seen, const TrainingStep& step) override;

 protected:
  explicit Composite(QuantizerParts parts);

  // What a part is given of the latents: [B, D', ...].
  virtual torch::Tensor Share(const torch::Tensor& latents, size_t part) const = 0;

  torch::Tensor DoEncode(const torch::Tensor& latents) override;
  std::vector<CodebookSums> DoObserve(const torch::Tensor& latents, const torch::Tensor& codes,
                                      const TrainingStep& step) override;
  Status Initialize(const torch::Tensor& latents, uint64_t seed) override;

  const QuantizerParts& parts() const { return parts_; }
  // Codes [B, K, ...] of all parts -> those of each.
  std::vector<torch::Tensor> SplitCodes(const torch::Tensor& codes) const;
  // The step as a part is told of it: parts draw different random numbers.
  static TrainingStep StepOf(const TrainingStep& step, size_t part);

 private:
  QuantizerParts parts_;
};

}  // namespace vqc
