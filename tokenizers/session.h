// SPDX-License-Identifier: Apache-2.0
// Sessions: a clip that arrives, or leaves, piece by piece. For tokenizers of sound.
//
// Pieces of any sizes give the ids and the samples of the whole clip, bit for bit. A session belongs to one
// thread at a time and needs its tokenizer to live; memory does not grow with the length.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/tokens.h"

namespace vqc {

class EncodeSession {
 public:
  virtual ~EncodeSession() = default;

  // Interleaved samples of TokenizerInfo::channels at its rate; those beyond [-1, 1] are clipped. Returns the
  // tokens {levels, t, 1, 1} that are complete now, t = 0 included. Error kInput: a sample is not a number;
  // nothing of the piece was taken.
  virtual Result<Tokens> Push(std::span<const float> samples) = 0;
  // The remaining tokens: ceil(samples / stride) in all, the last one filled up with silence, or those of
  // TokenizerInfo::segments. The session then is ready for another clip.
  virtual Result<Tokens> Flush() = 0;
};

class DecodeSession {
 public:
  virtual ~DecodeSession() = default;

  // Tokens {levels, t, 1, 1} with the first 1 ... all levels of the model, of segments whole ones; returns
  // the samples that are complete now, of all pieces and Flush stride for each token, or as long as the
  // segments last. Error kCorruptData names an id that is not in the vocabulary or a scale that cannot be;
  // nothing of the piece was taken.
  virtual Result<std::vector<float>> Push(const Tokens& tokens) = 0;
  // In place of `count` tokens that were lost, or segments where there are such: made up from what came
  // before, fading out; no louder than that.
  virtual Result<std::vector<float>> Conceal(uint32_t count) = 0;
  // The remaining samples. The session then is ready for another clip.
  virtual Result<std::vector<float>> Flush() = 0;
};

}  // namespace vqc
