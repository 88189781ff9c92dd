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
#include "quantizers/codebook_update.h"

namespace vqc {

struct QuantizerOutput {
  torch::Tensor quantized;  // [B, D, ...]
  torch::Tensor codes;      // [B, K, ...] int64, K levels
  torch::Tensor loss;       // scalar; zero for quantizers without one, and in evaluation mode
};

// Never changes its codebook by itself; training does.
//
// Parameters are what a model stores. Those that need no gradient are kept up by Update, or stay as they are;
// buffers follow from the configuration or serve training only. Call eval() after loading parameters:
// codewords that are computed from others are computed then.
class Quantizer : public torch::nn::Module {
 public:
  // Latents [B, D, ...] of float32. In training mode gradients reach latents and parameters; in evaluation
  // mode quantized == Decode(Encode(latents)). All three throw c10::ValueError, which says what was given and
  // what fits, for a wrong shape, type or device, for codes outside of Vocab(), and on CPUs for latents that
  // are not finite where a codebook is searched.
  QuantizerOutput forward(const torch::Tensor& latents);
  torch::Tensor Encode(const torch::Tensor& latents);  // -> codes [B, K, ...]
  torch::Tensor Decode(const torch::Tensor& codes);    // -> quantized [B, D, ...]

  virtual std::vector<uint32_t> Vocab() const = 0;  // one entry per level
  virtual int Dim() const = 0;                      // D
  // Where each digit of latents [B, D, ...] lay before it was rounded, in units of the digit: [B, F, ...] of
  // float32, F factors over all levels. Undefined where the digits have no order.
  virtual torch::Tensor Positions(const torch::Tensor& latents) const { return {}; }
  // How the ids of each level split into digits (entropy/priors.h); empty where they do not.
  virtual std::vector<std::vector<uint32_t>> Factors() const { return {}; }
  // The codewords [K, D] of each codebook as they are decoded now, detached; empty where codewords follow
  // from a rule.
  virtual std::vector<torch::Tensor> Codebooks() { return {}; }

  // The training side, around a step of the optimizer:
  //   seen = Observe(latents, codes, step), of what forward took and gave; the optimizer; Update(seen, step)
  // Processes merge what they saw (codebook_update.h): one with a batch of 4 B then does the same as four
  // with B each. Both do nothing where gradients do all.
  std::vector<CodebookSums> Observe(const torch::Tensor& latents, const torch::Tensor& codes,
                                    const TrainingStep& step);
  virtual void Update(const std::vector<CodebookSums>& seen, const TrainingStep& step) {}
  virtual size_t Observed() const { return 0; }  // codebooks that Observe tells of
  // Sets codebooks from latents of a network that has been trained a little without quantization: k-means,
  // level by level. Does nothing where there is nothing to set. Error (kUsage): fewer latents than codewords.
  virtual Status Initialize(const torch::Tensor& latents, uint64_t seed) { return {}; }
  // Renames the codes of codebooks that Update keeps so that ids with equal leading digits lie close to one
  // another (codeword_order.h). What is decoded stays the same; for the end of training.
  virtual void Arrange() {}
  // Whether what was decoded must pass gradients on to parameters (projections), not to latents alone.
  virtual bool LearnsFromDecoder() const { return false; }
  // Whether forward launches the same on a GPU each time and never waits for it, so that a step can be
  // recorded (training/step_graph.h).
  virtual bool Recordable() const { return true; }

 protected:
  virtual QuantizerOutput DoForward(const torch::Tensor& latents) = 0;
  virtual torch::Tensor DoEncode(const torch::Tensor& latents) = 0;
  virtual torch::Tensor DoDecode(const torch::Tensor& codes) = 0;
  virtual std::vector<CodebookSums> DoObserve(const torch::Tensor& latents, const torch::Tensor& codes,
                                              const TrainingStep& step) {
    return {};
  }

 private:
  void CheckLatents(const torch::Tensor& latents) const;
  void CheckCodes(const torch::Tensor& codes) const;
};

struct QuantizerRow {
  std::string_view name, summary;
  Result<std::shared_ptr<Quantizer>> (*make)(const nlohmann::json& config);
};
const std::vector<QuantizerRow>& Quantizers();

// `config` names the row under "type". Errors (kModel) name the field, what was given and what fits.
Result<std::shared_ptr<Quantizer>> MakeQuantizer(const nlohmann::json& config);

}  // namespace vqc
