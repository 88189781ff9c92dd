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
#include "codec/payload.h"
#include "codec/rate_control.h"

namespace vqc {

struct EncodedClip {
  std::vector<uint8_t> bytes;  // the whole file
  Tokens tokens;               // as they are decoded: ids of the model on every rung
  uint64_t payload_bytes = 0;  // of bytes: the coded tokens
  double network_seconds = 0;
  double rate_weight = 0;  // with which the tokens were chosen, see RateOptions
  uint32_t rung = 1;       // of the model's ladder (codec/rungs.h)
};

struct DecodedClip {
  Clip clip;
  Tokens tokens;
  double network_seconds = 0;
  std::vector<std::string> defects;  // of salvage: what is not as it was encoded
  std::vector<uint8_t> known;  // of salvage, one a token: 0 where it is lost and was made up; empty: none is
};

struct DecodeOptions {
  bool salvage = false;  // decode tokens and alpha that fail their checks, and say so in `defects`
  Limits limits;
};

// Move a large photo in: its samples are then not copied.
// kLimit where the picture cannot be made as small as is asked for, kUsage where the model cannot trade or
// has no such rate.
Result<EncodedClip> EncodeImage(Clip clip, const Bundle& bundle, const RateOptions& rate = {},
                                const PayloadOptions& payload = {});

// REQUIRES: the bundle's card knows the stream's key (kModel otherwise).
Result<DecodedClip> DecodeImage(const Stream& stream, const Bundle& bundle, const DecodeOptions& options);

// The tokens of a stream, entropy decoded and checked; needs the prior only (LoadPriorOnly), provided that
// the card states its stride.
Result<Tokens> ReadTokens(const Stream& stream, const Chunk& chunk, const Bundle& bundle,
                          const Limits& limits);

// Shape, vocabularies and bytes of a chunk's payload; they point into the chunk. The vocabulary is that of
// the chunk's rate.
Result<PayloadView> PayloadOf(const Stream& stream, const Chunk& chunk, const Bundle& bundle);

// The grid of tokens of a stream that was coded with this card's model.
Result<TokenShape> ShapeOfStream(const StreamHeader& header, const Bundle& bundle);

// What the tokens would take at log2(vocabulary) bits each.
double RawBits(const Tokens& tokens);

// What the tokens would take under the frequencies that each level has in this very clip, without the cost of
// telling them: a bound for tables of single tokens, and lower than any stream can get where tokens are few.
double Order0Bits(const Tokens& tokens);

// The short forms.
Result<std::vector<uint8_t>> EncodeClip(Clip clip, const Bundle& bundle);
Result<Clip> DecodeStream(const Stream& stream, const Bundle& bundle, const Limits& limits);

}  // namespace vqc
