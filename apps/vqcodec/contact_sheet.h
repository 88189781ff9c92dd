// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "base/clip.h"

namespace vqc {

// Small pictures side by side, row after row, each in a square of `cell` pixels: pictures scaled down by
// averaging, or as they are where they fit; of sound the envelope of its first channel, left to right; of
// actions the course of each dimension, one below the other, each over its own range. Gray around them.
// REQUIRES: at least one clip, all of one modality
Clip ContactSheet(const std::vector<Clip>& clips, int cell);

// A clip as it appears there; the large one need not be kept.
Clip Thumbnail(const Clip& clip, int cell);

}  // namespace vqc
