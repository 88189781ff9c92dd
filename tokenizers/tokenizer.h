// SPDX-License-Identifier: Apache-2.0
// Tokenizer: clips to tokens and back. No torch in this header; implementations live in the torch part.
//
// Tokens are a function of the clip alone: the same ids for any batch, thread count and call, on one
// numerics profile (docs/architecture.md).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/clip.h"
#include "base/result.h"
#include "base/tokens.h"
#include "tokenizers/segment_plan.h"
#include "tokenizers/session.h"

namespace vqc {

struct TokenizerInfo {
  std::string type;  // row of the tokenizer table, e.g. "image"
  Modality modality = Modality::kImage;
  std::vector<uint32_t> vocab;  // entries of each level
  int stride = 1;               // samples (pixels) per token along each axis
  int receptive_field = 0;      // samples that one token can see along an axis
  int tile = 0, halo = 0;       // of the encoder, in samples along an axis
  uint32_t profile = 0;         // numerics profile: hash of the latents of a fixed probe input

  bool nested = false;  // tokens may be cut to the first levels, see Decode
  int batch = 1;        // clips that are worth passing to one call

  // Of sound alone: samples a second, tokens that are made at a time, and how many samples behind its input
  // the decoded sound is when both sides run live (algorithmic latency).
  double rate = 0;
  int step = 1, latency = 0;
  int channels = 1;      // that a session takes together
  SegmentPlan segments;  // none of most
};

// Tokens and, for rate-distortion optimised coding (entropy/rate_distortion.h), where the digits of each id
// lay before they were rounded; no positions where a quantizer's digits have no order.
struct Encoding {
  Tokens tokens;
  std::vector<float> positions;  // [id][factor], in units of the digit
};

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  virtual const TokenizerInfo& Info() const = 0;

  // Shape of the tokens of a clip of this size. Colour clips of 1 or 3 channels; alpha is not ours. Sound is
  // at Info().rate, mono or of Info().channels, frames are its samples. Frames of actions are steps.
  virtual TokenShape ShapeOf(int frames, int height, int width) const = 0;

  // One Tokens per clip, in order. Checks the clips and the ids around DoEncodeBatch.
  Result<std::vector<Tokens>> Encode(std::span<const Clip> batch) const;
  Result<Encoding> EncodeWithPositions(const Clip& clip) const;

  // The size of the media a token grid came from, so that padding is cut off.
  struct Target {
    int frames = 1, channels = 3, height = 1, width = 1;
    int source = 0;  // of actions, see Clip
  };
  // One Clip per Tokens, in order. Where Info().nested, tokens may have the first levels of the model
  // only.
  // REQUIRES: targets.size() == batch.size()
  Result<std::vector<Clip>> Decode(std::span<const Tokens> batch, std::span<const Target> targets) const;

  // For clips that come and go piece by piece. Error kUsage where the tokenizer has no sessions (pictures).
  virtual Result<std::unique_ptr<EncodeSession>> NewEncodeSession() const;
  virtual Result<std::unique_ptr<DecodeSession>> NewDecodeSession() const;

 private:
  // As they are here, a whole clip is one piece of a session: a tokenizer that has sessions needs no more.
  virtual Result<Encoding> DoEncode(const Clip& clip) const;
  virtual Result<Clip> DoDecode(const Tokens& tokens, const Target& target) const;
  // One after the other, as they are here.
  virtual Result<std::vector<Encoding>> DoEncodeBatch(std::span<const Clip> batch) const;
  virtual Result<std::vector<Clip>> DoDecodeBatch(std::span<const Tokens> batch,
                                                  std::span<const Target> targets) const;
};

}  // namespace vqc
