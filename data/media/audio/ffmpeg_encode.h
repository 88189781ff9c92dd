// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "data/media/audio/audio_coding.h"

namespace vqc {

// EncodeByFfmpeg inside the part.
Result<CodedAudio> FfmpegEncode(const Clip& sound, const AudioCoding& coding);

}  // namespace vqc
