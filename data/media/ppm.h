// SPDX-License-Identifier: Apache-2.0
// Netpbm pictures: PGM (P5), PPM (P6) and PAM (P7, the one with alpha), 8 and 16 bits. The plain forms (P1 ..
// P3) and bitmaps (P4) are not read. A maxval other than 255 and 65535 is scaled.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/clip.h"
#include "base/limits.h"
#include "base/result.h"

namespace vqc {

Result<Clip> ReadPpm(std::span<const uint8_t> bytes, const std::string& name, const Limits& limits);

// maxval is 255, or 65535 where clip.bit_depth is 16.
std::vector<uint8_t> WritePpm(const Clip& clip);  // P5 for gray, P6 for RGB. REQUIRES: no alpha
std::vector<uint8_t> WritePam(const Clip& clip);  // P7

}  // namespace vqc
