// SPDX-License-Identifier: Apache-2.0
// Prior: what predicts the tokens. PriorModel is immutable and shared; a Prior is one chunk's state.
//
// A prior cuts each token into parts with small alphabets (entropy/digits.h) and says, group by group, how
// likely their values are. Coder and prior meet in FrequencyTable and Interval only:
//
//   prior.Begin(shape, vocab)
//   while (group = prior.NextGroup(), !group.parts.empty())
//     code or decode the value of every part i with group.tables[i];  prior.Observe(values)
//
// Encoder and decoder drive equal instances through equal calls; every table must be a function of these
// calls alone, bit for bit, on every machine: integer arithmetic only.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/tokens.h"
#include "entropy/frequency_table.h"

namespace vqc {

// A digit of one token: value = ids[token] / divisor % radix, and the id is the sum of value * divisor over
// all parts of the token. Digits that can only be 0 are not coded.
struct TokenPart {
  uint32_t token;  // index into Tokens::ids
  uint32_t divisor, radix;
};

// Parts that are predicted together. `tables[i]` is of `parts[i]` and may have fewer symbols than its radix
// where the vocabulary ends early. Valid until the next call of the prior.
struct Group {
  std::span<const TokenPart> parts;
  std::span<const FrequencyTable> tables;
};

class Prior {
 public:
  virtual ~Prior() = default;
  // Starts a chunk. kModel when the prior was not made for this vocabulary.
  virtual Status Begin(const TokenShape& shape, std::span<const uint32_t> vocab) = 0;
  // Right after Begin: goes on at `token` as if nothing were known of the tokens before, for chunks in
  // windows (entropy/windows.h). kUsage where the prior cannot.
  virtual Status SkipTo(uint32_t token);
  // The next parts; no parts when all tokens are done.
  virtual Result<Group> NextGroup() = 0;
  // The values of the parts of the last group, in its order. REQUIRES: each below its table's Size()
  virtual void Observe(std::span<const uint32_t> values) = 0;
};

inline Status Prior::SkipTo(uint32_t) {
  return Error{ErrorCode::kUsage, "tokens cannot be coded in windows with this prior; choose another one"};
}

class ChunkCoder;

class PriorModel {
 public:
  virtual ~PriorModel() = default;
  // Null where Coder() is not.
  virtual std::unique_ptr<Prior> NewPrior() const = 0;
  // Not null where the model codes chunks by itself instead of predicting digits.
  virtual const ChunkCoder* Coder() const { return nullptr; }
  // Replaces the ids of tokens that were lost by what the others suggest: by copies of neighbours, unless the
  // model knows better. `lost` has an entry a token, not 0 where it is lost; what the id of a lost token is
  // does not matter. kModel when the prior was not made for this vocabulary. REQUIRES: as many entries as ids
  // as the shape says
  virtual Status Conceal(Tokens& tokens, std::span<const uint8_t> lost) const;
};

// Codes the tokens of a chunk all at once, for speed. Equal tokens give equal bytes on every machine.
class ChunkCoder {
 public:
  virtual ~ChunkCoder() = default;
  // REQUIRES: CheckTokens. kModel where the vocabularies are beyond what the model can code.
  virtual Result<std::vector<uint8_t>> Encode(const Tokens& tokens) const = 0;
  // kCorruptData for bytes that Encode does not write, as far as can be told. REQUIRES: a shape within limits
  virtual Result<Tokens> Decode(const TokenShape& shape, std::span<const uint32_t> vocab,
                                std::span<const uint8_t> bytes) const = 0;
};

}  // namespace vqc
