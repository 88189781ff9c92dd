// SPDX-License-Identifier: Apache-2.0
// Samples as they lie in files, to float and back.
#pragma once

#include <cstdint>
#include <span>

#include "data/media/audio/audio.h"

namespace vqc {

size_t BytesOf(SampleFormat format);
int BitsOf(SampleFormat format);
bool IsFloat(SampleFormat format);

// REQUIRES: bytes.size() == samples.size() * BytesOf(format)
void ToFloats(SampleFormat format, bool big_endian, std::span<const uint8_t> bytes, std::span<float> samples);
// Rounds to the nearest value and clips. Little endian. REQUIRES: as above
void FromFloats(SampleFormat format, std::span<const float> samples, std::span<uint8_t> bytes);

}  // namespace vqc
