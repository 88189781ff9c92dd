// SPDX-License-Identifier: Apache-2.0
// WAV (RIFF WAVE, and RF64 above 4 GiB: EBU Tech 3306) with PCM or float samples, and samples without a
// header.
#pragma once

#include <memory>

#include "data/media/audio/audio.h"
#include "data/media/audio/byte_source.h"

namespace vqc {

// Whether the bytes begin a WAV file.
bool LooksLikeWav(std::span<const uint8_t> beginning);

// nullptr, with the source where it was, for codings other than PCM of 8, 16, 24 and 32 bits and floats: a
// library may know them. REQUIRES: LooksLikeWav. kInput for a damaged header and, of files, for data that is
// cut off; a pipe that ends too early is an error of the reader.
Result<std::unique_ptr<AudioReader>> OpenWav(std::unique_ptr<ByteSource>& source);

Result<std::unique_ptr<AudioReader>> OpenRaw(std::unique_ptr<ByteSource> source, const RawAudio& raw);

// with_header: WAV, otherwise nothing but samples. Little endian.
Result<std::unique_ptr<AudioWriter>> CreateWav(OutputFile file, const AudioInfo& info, bool with_header);

}  // namespace vqc
