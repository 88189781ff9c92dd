// SPDX-License-Identifier: Apache-2.0
// ChunkCodec: one chunk of normalised actions to ids and back, what action tokenizers differ in.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/tokens.h"

namespace vqc {

// A chunk is [chunk][dims] of values in [-1, 1]; slots that the source lacks are 0, steps beyond the end of
// an episode repeat its last step.
struct ChunkPlan {
  std::span<const int> slots;  // that the source has
  int steps = 0;               // that there are; the others are padding
};

class ChunkCodec {
 public:
  virtual ~ChunkCodec() = default;
  virtual TokenShape Shape() const = 0;             // of one chunk: t is 1
  virtual std::vector<uint32_t> Vocab() const = 0;  // one entry a level
  virtual uint32_t Profile() const { return 0; }    // see TokenizerInfo
  // Whether tokens may be cut to the first levels, see Tokenizer::Decode.
  virtual bool Nested() const { return false; }
  // As many ids as Shape() has.
  virtual Result<std::vector<uint32_t>> Encode(std::span<const float> chunk, const ChunkPlan& plan) const = 0;
  // Total: any ids below the vocabulary give a chunk; `levels` of them are there. Values need not lie in
  // range.
  virtual Status Decode(std::span<const uint32_t> ids, uint32_t levels, const ChunkPlan& plan,
                        std::span<float> chunk) const = 0;
};

}  // namespace vqc
