// SPDX-License-Identifier: Apache-2.0
// Quantizer: latents to codes and back. A new quantizer is one file and one row in quantizers.cc.
#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace vqc {

struct QuantizerOutput {
  torch::Tensor quantized;  // [B, D, ...]
  torch::Tensor codes;      // [B, K, ...] int64, K levels
  torch::Tensor loss;       // scalar; zero for quantizers without one
};

// Never changes its codebook by itself; training does.
class Quantizer : public torch::nn::Module {
 public:
  // Latents [B, D, ...] of float32. In training mode gradients pass straight through; in evaluation mode
  // quantized == Decode(Encode(latents)).
  virtual QuantizerOutput forward(const torch::Tensor& latents) = 0;
  virtual torch::Tensor Encode(const torch::Tensor& latents) = 0;  // -> codes [B, K, ...]
  virtual torch::Tensor Decode(const torch::Tensor& codes) = 0;    // -> quantized [B, D, ...]
  virtual std::vector<uint32_t> Vocab() const = 0;                 // one entry per level
  virtual int Dim() const = 0;                                     // D
  // Where each digit of latents [B, D, ...] lay before it was rounded, in units of the digit: [B, F, ...] of
  // float32, F factors over all levels. Undefined where the digits have no order.
  virtual torch::Tensor Positions(const torch::Tensor& latents) const { return {}; }
  // How the ids of each level split into digits (entropy/priors.h); empty where they do not.
  virtual std::vector<std::vector<uint32_t>> Factors() const { return {}; }
};

struct QuantizerRow {
  std::string_view name, summary;
  Result<std::shared_ptr<Quantizer>> (*make)(const nlohmann::json& config);
};
const std::vector<QuantizerRow>& Quantizers();

// `config` names the row under "type". Errors (kModel) name the field, what was given and what fits.
Result<std::shared_ptr<Quantizer>> MakeQuantizer(const nlohmann::json& config);

}  // namespace vqc
