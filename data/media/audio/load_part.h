// SPDX-License-Identifier: Apache-2.0
// The sound parts, loaded once. Errors (kResource) say how to get them.
#pragma once

#include "base/result.h"
#include "data/media/audio/audio_part.h"

namespace vqc {

Result<const AudioPart*> LoadSoundPart();   // libsndfile and libsoxr
Result<const AudioPart*> LoadFfmpegPart();  // FFmpeg: opens and encodes

}  // namespace vqc
