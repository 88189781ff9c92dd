// SPDX-License-Identifier: Apache-2.0
#include "entropy/token_coder.h"

#include <string>
#include <utility>

#include "base/beyond_limit.h"
#include "base/within_memory.h"
#include "entropy/range_coder.h"

namespace vqc {
Result<size_t> CheckedTokenCount(const TokenShape& shape, std::span<const uint32_t> vocab, uint64_t bytes,
                                 const Limits& limits) {
  if (bytes > limits.max_chunk_bytes) {
    return BeyondLimit("a chunk has " + std::to_string(bytes) + " bytes", "max_chunk_bytes",
                       limits.max_chunk_bytes);
  }
  if (shape.levels != vocab.size()) {
    return Error{ErrorCode::kCorruptData, "tokens of " + std::to_string(shape.levels) + " levels came with " +
                                              std::to_string(vocab.size()) + " vocabularies"};
  }
  for (const uint32_t size : vocab) {
    if (size == 0) return Error{ErrorCode::kCorruptData, "tokens came with a vocabulary of 0"};
    if (size > limits.max_vocab) {
      return BeyondLimit("a vocabulary of " + std::to_string(size), "max_vocab", limits.max_vocab);
    }
  }
  if (shape.levels > limits.max_levels) {
    return BeyondLimit("tokens have " + std::to_string(shape.levels) + " levels", "max_levels",
                       limits.max_levels);
  }
  uint64_t count = 1;
  for (const uint32_t side : {shape.levels, shape.t, shape.h, shape.w}) {
    if (side == 0) return Error{ErrorCode::kCorruptData, "a token map with a side of 0"};
    if (count > limits.max_tokens / side) {
      return BeyondLimit("a chunk of " + std::to_string(shape.t) + " x " + std::to_string(shape.h) + " x " +
                             std::to_string(shape.w) + " x " + std::to_string(shape.levels) + " tokens",
                         "max_tokens", limits.max_tokens);
    }
    count *= side;
  }
  return static_cast<size_t>(count);
}

Status CheckTokens(const Tokens& tokens) {
  Limits own;
  own.max_tokens = INT32_MAX;
  VQC_ASSIGN(const size_t count, CheckedTokenCount(tokens.shape, tokens.vocab, 0, own));
  if (tokens.ids.size() != count) {
    return Error{ErrorCode::kInput, "a token map of " + std::to_string(count) + " tokens holds " +
                                        std::to_string(tokens.ids.size()) + " ids"};
  }
  const size_t levels = tokens.shape.levels;
  for (size_t level = 0; level < levels; ++level) {
    for (size_t i = level; i < count; i += levels) {
      if (tokens.ids[i] < tokens.vocab[level]) continue;
      return Error{ErrorCode::kInput, "token " + std::to_string(i) + " is " + std::to_string(tokens.ids[i]) +
                                          ", its vocabulary ends at " + std::to_string(tokens.vocab[level])};
    }
  }
  return {};
}

Result<std::vector<uint8_t>> EncodeTokens(const Tokens& tokens, const PriorModel& model) {
  return WithinMemory([&]() -> Result<std::vector<uint8_t>> {
    VQC_TRY(CheckTokens(tokens));
    if (const ChunkCoder* whole = model.Coder()) return whole->Encode(tokens);
    const std::unique_ptr<Prior> prior = model.NewPrior();
    VQC_TRY(prior->Begin(tokens.shape, tokens.vocab));
    RangeEncoder coder;
    std::vector<uint32_t> values;
    while (true) {
      VQC_ASSIGN(const Group group, prior->NextGroup());
      if (group.parts.empty()) break;
      values.clear();
      for (size_t i = 0; i < group.parts.size(); ++i) {
        const TokenPart& part = group.parts[i];
        values.push_back(tokens.ids[part.token] / part.divisor % part.radix);
        coder.Encode(group.tables[i].Of(values.back()));
      }
      prior->Observe(values);
    }
    return std::move(coder).Finish();
  });
}

Result<Tokens> DecodeTokens(const TokenShape& shape, std::span<const uint32_t> vocab, const PriorModel& model,
                            std::span<const uint8_t> bytes, const Limits& limits) {
  return WithinMemory([&]() -> Result<Tokens> {
    VQC_ASSIGN(const size_t count, CheckedTokenCount(shape, vocab, bytes.size(), limits));
    if (const ChunkCoder* whole = model.Coder()) return whole->Decode(shape, vocab, bytes);
    const std::unique_ptr<Prior> prior = model.NewPrior();
    VQC_TRY(prior->Begin(shape, vocab));
    Tokens tokens{shape, {vocab.begin(), vocab.end()}, std::vector<uint32_t>(count, 0)};
    RangeDecoder coder(bytes);
    std::vector<uint32_t> values;
    while (true) {
      VQC_ASSIGN(const Group group, prior->NextGroup());
      if (group.parts.empty()) break;
      values.clear();
      for (size_t i = 0; i < group.parts.size(); ++i) {
        const TokenPart& part = group.parts[i];
        values.push_back(group.tables[i].SymbolAt(coder.Quantile()));
        coder.Consume(group.tables[i].Of(values.back()));
        tokens.ids[part.token] += values.back() * part.divisor;
      }
      prior->Observe(values);
    }
    VQC_TRY(coder.Finish());
    return tokens;
  });
}

}  // namespace vqc
