// SPDX-License-Identifier: Apache-2.0
// Latents of any number of tokens to ids and back, with ids that do not depend on that number.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "base/tokens.h"
#include "quantizers/quantizer.h"

namespace vqc {

class AudioCodes {
 public:
  // REQUIRES: the quantizer is in evaluation mode, on the CPU
  explicit AudioCodes(std::shared_ptr<Quantizer> quantizer);

  const std::vector<uint32_t>& Vocab() const { return vocab_; }
  size_t Dim() const { return static_cast<size_t>(quantizer_->Dim()); }

  // [tokens][dim] -> {levels, tokens, 1, 1}
  Result<Tokens> Encode(const std::vector<float>& latents) const;
  // Back; of a residual quantizer the first levels are enough. Error kCorruptData: levels, vocabulary or an
  // id do not fit.
  Result<std::vector<float>> Decode(const Tokens& tokens) const;

 private:
  std::shared_ptr<Quantizer> quantizer_;
  std::vector<uint32_t> vocab_;
  int64_t at_once_;  // tokens
};

}  // namespace vqc
