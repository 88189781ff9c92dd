// SPDX-License-Identifier: Apache-2.0
// PNG through libpng, row by row.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/clip.h"
#include "base/result.h"
#include "data/media/image_header.h"

namespace vqc {

// Palettes, 1, 2 and 4 bits become 8 bits, tRNS becomes alpha. Gamma and colour profiles are not applied.
Result<Clip> DecodePng(std::span<const uint8_t> bytes, const ImageHeader& header, const std::string& name);

Result<std::vector<uint8_t>> EncodePng(const Clip& clip);

}  // namespace vqc
