// SPDX-License-Identifier: Apache-2.0
// Vector quantization (van den Oord et al., 2017, arXiv 1711.00937): the closest codeword in squared L2.
#pragma once

#include "quantizers/quantizer.h"

namespace vqc {

class Vq : public Quantizer {
 public:
  // Config: {"type": "vq", "entries": 16384, "dim": 8, "commitment": 0.25}
  static Result<std::shared_ptr<Quantizer>> Make(const nlohmann::json& config);
  Vq(int64_t entries, int64_t dim, double commitment);

  // loss = mean |sg(z) - c|^2 + commitment * mean |z - sg(c)|^2; the gradient reaches latents and codebook.
  QuantizerOutput forward(const torch::Tensor& latents) override;
  torch::Tensor Encode(const torch::Tensor& latents) override;
  torch::Tensor Decode(const torch::Tensor& codes) override;
  std::vector<uint32_t> Vocab() const override;
  int Dim() const override { return static_cast<int>(codebook_.size(1)); }

  torch::Tensor& codebook() { return codebook_; }  // [entries, dim]

 private:
  torch::Tensor codebook_;
  double commitment_;
};

// Index [N] int64 of the row of `codebook` [K, D] closest to each row of `points` [N, D], by float64
// distances as quantizers/search/metric.h defines them; ties go to the lowest index. Contiguous float32
// tensors on the CPU are not copied. Throws where a value is NaN or infinity.
torch::Tensor ClosestCodeword(const torch::Tensor& points, const torch::Tensor& codebook);

}  // namespace vqc
