// SPDX-License-Identifier: Apache-2.0
// LatentFiller: from the latents around to those of positions whose tokens are lost.
#pragma once

#include <torch/nn.h>

#include <cstdint>
#include <nlohmann/json.hpp>

#include "base/result.h"

namespace vqc {

struct LatentFillerConfig {
  int64_t width = 80, blocks = 12;

  // Positions beyond its own that a filled one depends on along an axis.
  int Reach() const { return static_cast<int>(blocks) + 1; }
};

// {"width": N, "blocks": N}
Result<LatentFillerConfig> ParseLatentFiller(const nlohmann::json& config);
nlohmann::json ToJson(const LatentFillerConfig& config);

// Quantized latents [B, dim, h, w] and where they are lost, [B, 1, h, w] of 0 and 1 -> what is to be
// quantized there, [B, dim, h, w]. What the latents hold where they are lost does not matter.
class LatentFillerImpl : public torch::nn::Module {
 public:
  LatentFillerImpl(const LatentFillerConfig& config, int64_t dim);
  torch::Tensor forward(const torch::Tensor& quantized, const torch::Tensor& lost);

 private:
  torch::nn::Sequential body_;
};
TORCH_MODULE(LatentFiller);

}  // namespace vqc
