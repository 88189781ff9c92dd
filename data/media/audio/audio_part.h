// SPDX-License-Identifier: Apache-2.0
// What a sound part, a shared library loaded on demand (base/dynamic_part.h), gives the core library. None of
// its functions throws. Null where a part does not have one.
#pragma once

#include <memory>

#include "data/media/audio/audio.h"
#include "data/media/audio/audio_coding.h"
#include "data/media/audio/byte_source.h"
#include "data/media/audio/resample.h"

namespace vqc {

struct AudioPart {
  // nullptr, with the source at its beginning, where the library does not know the format. REQUIRES: a size
  Result<std::unique_ptr<AudioReader>> (*open)(std::unique_ptr<ByteSource>& source);
  // `extension` in lower case. kUsage where the format cannot hold the rate, the channels or the samples.
  Result<std::unique_ptr<AudioWriter>> (*create)(OutputFile file, std::string_view extension,
                                                 const AudioInfo& info);
  Result<std::unique_ptr<ResampleCore>> (*resample)(int from, int to, int channels);
  // Of audio_coding.h.
  Result<CodedAudio> (*encode)(const Clip& sound, const AudioCoding& coding);
};

}  // namespace vqc
