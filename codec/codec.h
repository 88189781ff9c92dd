// SPDX-License-Identifier: Apache-2.0
// Clip -> stream bytes -> clip.
//
// An image: alpha is split off and kept losslessly as side data; the colour becomes tokens. A gray image is
// encoded as three equal channels and decoded to their mean.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/clip.h"
#include "base/limits.h"
#include "base/result.h"
#include "codec/bundle.h"
#include "codec/container/stream.h"
#include "codec/rate_control.h"

namespace vqc {

struct EncodedClip {
  std::vector<uint8_t> bytes;  // the whole file
  Tokens tokens;
  uint64_t payload_bytes = 0;  // of bytes: the coded tokens
  double network_seconds = 0;
  double rate_weight = 0;  // with which the tokens were chosen, see RateOptions
};

struct DecodedClip {
  Clip clip;
  Tokens tokens;
  double network_seconds = 0;
  std::vector<std::string> defects;  // of salvage: what is not as it was encoded
};

struct DecodeOptions {
  bool salvage = false;  // decode tokens and alpha that fail their checks, and say so in `defects`
  Limits limits;
};

// Move a large photo in: its samples are then not copied.
// kLimit where the picture cannot be made as small as rate.max_bytes, kUsage where the model cannot trade.
Result<EncodedClip> EncodeImage(Clip clip, const Bundle& bundle, const RateOptions& rate = {});

// REQUIRES: the bundle's card has the stream's key (kModel otherwise).
Result<DecodedClip> DecodeImage(const Stream& stream, const Bundle& bundle, const DecodeOptions& options);

// The tokens of a stream, entropy decoded and checked; needs the prior only (LoadPriorOnly), provided that
// the card states its stride.
Result<Tokens> ReadTokens(const Stream& stream, const Chunk& chunk, const Bundle& bundle,
                          const Limits& limits);

// The grid of tokens of a stream that was coded with this card's model.
Result<TokenShape> ShapeOfStream(const StreamHeader& header, const Bundle& bundle);

// What the tokens would take at log2(vocabulary) bits each.
double RawBits(const Tokens& tokens);

// The short forms.
Result<std::vector<uint8_t>> EncodeClip(Clip clip, const Bundle& bundle);
Result<Clip> DecodeStream(const Stream& stream, const Bundle& bundle, const Limits& limits);

}  // namespace vqc
