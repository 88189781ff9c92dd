// SPDX-License-Identifier: Apache-2.0
// Tokens in windows of equally many bits, each of which decodes on its own (equal-information windows, Lester
// et al., arXiv:2404.03626): a damaged or lost window takes its own tokens with it and no others.
//
//   window size W in bytes (varint, 16 to 65536) | windows of exactly W bytes, the last without the zeros at
//   its end window: check (4) | first token (varint) | tokens (varint, 1 or more) | bytes of the range coder,
//   then zeros
//
// Tokens are counted in the order of Tokens::ids. In each window coder and prior begin anew, knowing the
// place of a token but none of the tokens before the window. A window takes as many tokens as fit. The check
// is the CRC-32C of salt, W, levels, t, h, w and the vocabularies (each 4 bytes), followed by the window from
// behind the check on.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "base/tokens.h"
#include "entropy/prior.h"

namespace vqc {

constexpr uint32_t kMinWindowBytes = 16, kMaxWindowBytes = 65536;

// `salt` tells apart what must not be mixed up, e.g. the coding. kUsage for a size out of bounds, one in
// which some token does not fit, and a prior that cannot begin in the middle.
Result<std::vector<uint8_t>> EncodeWindows(const Tokens& tokens, const PriorModel& prior,
                                           uint32_t window_bytes, uint32_t salt);

// All windows in their order, or an error.
Result<Tokens> DecodeWindows(const TokenShape& shape, std::span<const uint32_t> vocab,
                             const PriorModel& prior, std::span<const uint8_t> bytes, uint32_t salt,
                             const Limits& limits);

struct SalvagedTokens {
  Tokens tokens;               // 0 where nothing is known
  std::vector<uint8_t> known;  // one a token: 1 where an undamaged window has it
  size_t windows = 0, damaged = 0;
};
// Every undamaged window. Errors only where none can be read at all: the window size or the shape make no
// sense.
Result<SalvagedTokens> SalvageWindows(const TokenShape& shape, std::span<const uint32_t> vocab,
                                      const PriorModel& prior, std::span<const uint8_t> bytes, uint32_t salt,
                                      const Limits& limits);

}  // namespace vqc
