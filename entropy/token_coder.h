// SPDX-License-Identifier: Apache-2.0
// Tokens to bytes and back, losslessly, with integer arithmetic only.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "base/tokens.h"
#include "entropy/prior.h"

namespace vqc {

// kInput unless there are as many ids as the shape says and each is below the vocabulary of its level.
Status CheckTokens(const Tokens& tokens);

// The number of tokens of `shape`, where it, `vocab` and a payload of `bytes` are within `limits`.
Result<size_t> CheckedTokenCount(const TokenShape& shape, std::span<const uint32_t> vocab, uint64_t bytes,
                                 const Limits& limits);

// The coded bytes of `tokens` under `prior`. Equal tokens and priors give equal bytes on every machine.
Result<std::vector<uint8_t>> EncodeTokens(const Tokens& tokens, const PriorModel& prior);

// The mirror. Any damage that the coder's end state can tell is kCorruptData; never reads past `bytes`.
Result<Tokens> DecodeTokens(const TokenShape& shape, std::span<const uint32_t> vocab, const PriorModel& prior,
                            std::span<const uint8_t> bytes, const Limits& limits);

}  // namespace vqc
