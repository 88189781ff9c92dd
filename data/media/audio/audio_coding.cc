// SPDX-License-Identifier: Apache-2.0
#include "data/media/audio/audio_coding.h"

#include "data/media/audio/load_part.h"

namespace vqc {

Result<CodedAudio> EncodeByFfmpeg(const Clip& sound, const AudioCoding& coding) {
  VQC_ASSIGN(const AudioPart* part, LoadFfmpegPart());
  return part->encode(sound, coding);
}

}  // namespace vqc
