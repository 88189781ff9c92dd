// SPDX-License-Identifier: Apache-2.0
// Rate control: the weight of bits (entropy/rate_distortion.h) with which a picture's file gets small enough.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "base/result.h"
#include "base/tokens.h"

namespace vqc {

struct RateOptions {
  // Weight of a bit against squared distances from the unrounded digits, in units of digits. 0: every digit
  // is rounded to the nearest.
  double weight = 0;
  // Of the whole file; 0: DefaultMaxPayload bounds the payload.
  uint64_t max_bytes = 0;
  // Of the model's ladder, from 1 to all; 0: the highest. Below it there is nothing to weigh.
  uint32_t rung = 0;
  // The highest rung on which the file takes at most so many bytes, in place of `rung`; 0: not asked for.
  uint64_t rung_bytes = 0;
};

// Most bytes of payload unless the user says otherwise: 92 % of log2(vocabulary) a token, and 3 bytes, so
// that busy pictures have a bound too. Reached by pictures that look like noise to the prior.
size_t DefaultMaxPayload(const Tokens& tokens);

// The least weight above `weight` on a ladder of steps of sqrt(2) at which `size_of(weight)` is at most
// `most`, or the last rung.
Result<double> LeastWeight(double weight, size_t most, const std::function<Result<size_t>(double)>& size_of);

}  // namespace vqc
