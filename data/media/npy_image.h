// SPDX-License-Identifier: Apache-2.0
// Pictures as numpy arrays (.npy): uint8, uint16 or float32, shape [height, width] or [height, width,
// channels] with 1 to 4 channels, C order. uint8 spans 0 .. 255, uint16 0 .. 65535, float32 -1 .. 1; a float
// beyond that, NaN and infinity are errors. float32 counts as 16 bits deep.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/clip.h"
#include "base/limits.h"
#include "base/result.h"

namespace vqc {

Result<Clip> ReadNpyImage(std::span<const uint8_t> bytes, const std::string& name, const Limits& limits);

// uint8, or uint16 where clip.bit_depth is 16; [height, width] for gray, else [height, width, channels].
std::vector<uint8_t> WriteNpyImage(const Clip& clip);

}  // namespace vqc
