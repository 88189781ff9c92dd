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
#include "tokenizers/lanes.h"
#include "tokenizers/segment_plan.h"

namespace vqc {

// What the model makes of a channel, or of those that it takes together: at `rate`, a token of each level for
// every `stride` samples.
struct AudioGrid {
  int rate = 0, stride = 1;
  std::vector<uint32_t> vocab;
  int channels = 1;      // that it takes together
  SegmentPlan segments;  // none of most

  // What chunks are made of: tokens of a time, or whole segments.
  int UnitSamples() const { return segments ? segments.hop : stride; }
  // Times a second.
  double TimesPerSecond() const;
};
// kModel where the bundle has no network and its card does not say; kUsage for a model that is not of sound.
Result<AudioGrid> GridOf(const Bundle& bundle);

// Frames and tokens of a chunk.
struct AudioCut {
  uint32_t frames = 0;  // of the source
  uint32_t units = 0;   // of the grid
};
// The shortest chunk of at least `seconds` whose end is where a unit ends; 0: see docs/format.md,
// section 4.2. kUsage for rates, channels or chunks that cannot be.
Result<AudioCut> CutOf(const AudioGrid& grid, int rate, int channels, uint32_t levels, double seconds);

// Units of so many frames of the source.
uint64_t UnitsOf(const AudioGrid& grid, int rate, uint64_t frames);

// The model's levels or the first ones that the header names. kCorruptData where the model has fewer.
Result<std::vector<uint32_t>> VocabOfStream(const StreamHeader& header, const AudioGrid& grid);

// Frames a second. kCorruptData where they are no whole number that can be decoded.
Result<int> RateOf(const StreamHeader& header);

// How the header's channels go through sessions, each of them a row of a chunk's tokens. kCorruptData where
// the model cannot take as many.
Result<Lanes> LanesOf(const StreamHeader& header, const AudioGrid& grid);

// The payload of a chunk with its shape, one row for each lane and one column for each time, vocabularies and
// segments; it points into the chunk.
Result<PayloadView> AudioPayload(const StreamHeader& header, const Chunk& chunk, const Bundle& bundle);

}  // namespace vqc
