// SPDX-License-Identifier: Apache-2.0
// Clip -> stream bytes -> clip.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/clip.h"
#include "base/limits.h"
#include "base/result.h"
#include "codec/bundle.h"
#include "codec/container/stream.h"

namespace vqc {

// An image: alpha is split off and kept losslessly as side data; the colour becomes tokens.
Result<std::vector<uint8_t>> EncodeClip(const Clip& clip, const Bundle& bundle);

// The tokens of a stream, entropy decoded and checked; needs the prior only.
Result<Tokens> ReadTokens(const Stream& stream, const Chunk& chunk, const Bundle& bundle, const Limits& limits);

// REQUIRES: the bundle's card has the stream's key (kModel otherwise).
Result<Clip> DecodeStream(const Stream& stream, const Bundle& bundle, const Limits& limits);

}  // namespace vqc
