// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "models/nn/codes_part.h"

namespace vqc {

// Latents of sound or pictures to ids and back, without torch. Ids of a token do not depend on those beside it.
class LatentCodes {
 public:
  virtual ~LatentCodes() = default;

  virtual const std::vector<uint32_t>& Vocab() const = 0;  // entries of each level
  virtual size_t Dim() const = 0;                          // of a row of latents
  virtual size_t RowsOfToken() const { return 1; }         // of latents that make a token of each level
  virtual bool Nested() const = 0;                         // whether the first levels decode alone

  // [tokens * RowsOfToken()][dim] -> ids [tokens][levels].
  virtual Result<std::vector<uint32_t>> Encode(std::span<const float> latents) const = 0;
  // Back, from the first `levels` levels. REQUIRES: ids below Vocab()
  virtual std::vector<float> Decode(std::span<const uint32_t> ids, size_t levels) const = 0;

  // As long as this lives; empty where they are no residual codes.
  virtual std::vector<nn::CodesPart> Parts() const { return {}; }
};

}  // namespace vqc
