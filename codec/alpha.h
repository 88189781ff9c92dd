// SPDX-License-Identifier: Apache-2.0
// The alpha plane of an image, kept losslessly beside its tokens (side data kAlpha).
//
//   opaque     | 0                                               1 byte
//   constant   | 1 | sample                                      2 or 3 bytes
//   anything   | 2 | a zstd frame of height rows of: filter (0..4, those of PNG) and the filtered samples
//
// Samples have the bit depth of the image: 1 byte, or 2 with the high byte first. Opaque means all ones.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/clip.h"
#include "base/limits.h"
#include "base/result.h"

namespace vqc {

// REQUIRES: clip.HasAlpha() and bit_depth is 8 or 16. Reads the last channel.
Result<std::vector<uint8_t>> EncodeAlpha(const Clip& clip);

struct AlphaShape {
  uint32_t height = 1, width = 1, bit_depth = 8;
};

// height * width values in [-1, 1]. Any byte string is safe; all but what EncodeAlpha can write is
// kCorruptData.
Result<std::vector<float>> DecodeAlpha(std::span<const uint8_t> bytes, const AlphaShape& shape,
                                       const Limits& limits);

}  // namespace vqc
