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
  // The next parts; no parts when all tokens are done.
  virtual Result<Group> NextGroup() = 0;
  // The values of the parts of the last group, in its order. REQUIRES: each below its table's Size()
  virtual void Observe(std::span<const uint32_t> values) = 0;
};

class PriorModel {
 public:
  virtual ~PriorModel() = default;
  virtual std::unique_ptr<Prior> NewPrior() const = 0;
};

}  // namespace vqc
