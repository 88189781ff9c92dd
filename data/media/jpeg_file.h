// SPDX-License-Identifier: Apache-2.0
// JPEG through libjpeg, row by row. OpenCV's reader is not used: it says nothing of damaged coded data, whose
// place it fills with gray.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/clip.h"
#include "base/result.h"
#include "data/media/image_header.h"

namespace vqc {

// Gray or RGB. Colour profiles are not applied.
Result<Clip> DecodeJpeg(std::span<const uint8_t> bytes, const ImageHeader& header, const std::string& name);

// Quality 95, chroma in full resolution. REQUIRES: 1 or 3 channels, 8 bits
Result<std::vector<uint8_t>> EncodeJpeg(const Clip& clip);

}  // namespace vqc
