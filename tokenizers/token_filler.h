// SPDX-License-Identifier: Apache-2.0
// TokenFiller: a network that makes up lost tokens of one model. No torch in this header.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.h"
#include "base/tokens.h"

namespace vqc {

inline constexpr std::string_view kFillerFile = "filler.safetensors";  // in a model's folder

class TokenFiller {
 public:
  virtual ~TokenFiller() = default;

  // Fills what is lost, an entry a token, not 0 where it is lost. What is filled depends on the known tokens
  // alone, not on threads. REQUIRES: tokens of the model, lost.size() == tokens.ids.size()
  virtual Status Fill(Tokens& tokens, std::span<const uint8_t> lost) const = 0;
};

}  // namespace vqc
