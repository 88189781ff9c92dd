// SPDX-License-Identifier: Apache-2.0
// Sound files through libsndfile: FLAC, Ogg Vorbis and Opus, AIFF, CAF, W64, AU, MP3 and rare kinds of WAV.
#pragma once

#include <memory>

#include "data/media/audio/audio.h"
#include "data/media/audio/byte_source.h"

namespace vqc {

// See AudioPart.
Result<std::unique_ptr<AudioReader>> OpenSndfile(std::unique_ptr<ByteSource>& source);
Result<std::unique_ptr<AudioWriter>> CreateSndfile(OutputFile file, std::string_view extension,
                                                   const AudioInfo& info);

}  // namespace vqc
