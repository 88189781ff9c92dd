// SPDX-License-Identifier: Apache-2.0
// Rate-distortion optimised tokens: of the values near where a digit lay before it was rounded, the one with
// the least  distance^2 + rate_weight * bits,  digit after digit in coding order, with the bits that the
// prior charges after the digits chosen before (entropy-constrained quantization; Chou, Lookabaugh, Gray
// 1989).
#pragma once

#include <span>

#include "base/result.h"
#include "base/tokens.h"
#include "entropy/digits.h"
#include "entropy/prior.h"

namespace vqc {

// Whether there is one position for each id and factor, i.e. whether these tokens can be optimised.
bool CanOptimize(const Tokens& tokens, const Factors& factors, std::span<const float> positions);

// `positions`: for each id of `tokens`, one number for each of its level's factors: where the digit lay
// before it was rounded, in units of the digit. A factor above kMaxRadix keeps its value. A rate_weight of 0
// gives `tokens` back where these are the roundings of `positions`. REQUIRES: CanOptimize
Result<Tokens> OptimizeTokens(const Tokens& tokens, const Factors& factors, std::span<const float> positions,
                              const PriorModel& prior, double rate_weight);

}  // namespace vqc
