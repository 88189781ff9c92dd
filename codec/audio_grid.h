// SPDX-License-Identifier: Apache-2.0
// How sound lies on tokens: which frames of the source a chunk has, and how many tokens they are
// (docs/format.md, section 4.2).
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "base/tokens.h"
#include "codec/bundle.h"
#include "codec/container/stream.h"
#include "codec/payload.h"

namespace vqc {

// What the model makes of a channel: at `rate`, a token of each level for every `stride` samples.
struct AudioGrid {
  int rate = 0, stride = 1;
  std::vector<uint32_t> vocab;
};
// kModel where the bundle has no network and its card does not say; kUsage for a model that is not of sound.
Result<AudioGrid> GridOf(const Bundle& bundle);

// Frames and tokens of a chunk.
struct AudioCut {
  uint32_t frames = 0;  // of the source
  uint32_t times = 0;   // tokens of a level and channel
};
// The shortest chunk of at least `seconds` whose end is where tokens end; 0: see docs/format.md, section 4.2.
// kUsage for rates, channels or chunks that cannot be.
Result<AudioCut> CutOf(const AudioGrid& grid, int rate, int channels, uint32_t levels, double seconds);

// Tokens of a channel and level for so many frames of the source.
uint64_t TimesOf(const AudioGrid& grid, int rate, uint64_t frames);

// The model's levels or the first ones that the header names. kCorruptData where the model has fewer.
Result<std::vector<uint32_t>> VocabOfStream(const StreamHeader& header, const AudioGrid& grid);

// Of a chunk: one row for each channel, one column for each time.
Result<TokenShape> ShapeOfAudio(const StreamHeader& header, uint32_t frames, const AudioGrid& grid);

// The payload of a chunk with its shape and vocabularies; it points into the chunk.
Result<PayloadView> AudioPayload(const StreamHeader& header, const Chunk& chunk, const Bundle& bundle);

}  // namespace vqc
