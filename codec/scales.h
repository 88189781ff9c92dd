// SPDX-License-Identifier: Apache-2.0
// The side data kScales of a chunk of sound whose model cuts it into segments (docs/format.md, section 4.3):
// a varint, the times of its last segment, less 1; then the scale of each segment, a float32.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "codec/audio_grid.h"

namespace vqc {

// REQUIRES: at least one segment
std::vector<uint8_t> ScalesOf(std::span<const Segment> segments);

// The segments of a chunk whose frames are `rate` a second; none where the model has none. kCorruptData where
// the chunk's scales are not as many as its frames need, no scales, or there although the model has no
// segments.
Result<std::vector<Segment>> SegmentsOf(const Chunk& chunk, int rate, const AudioGrid& grid);

}  // namespace vqc
