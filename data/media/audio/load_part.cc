// SPDX-License-Identifier: Apache-2.0
#include "data/media/audio/load_part.h"

#include "base/dynamic_part.h"

namespace vqc {
namespace {

Result<const AudioPart*> Load(const char* library, const char* symbol, const char* packages) {
  const auto address = LoadPart(library, symbol);
  if (address.ok()) return reinterpret_cast<const AudioPart* (*)()>(*address)();
  return Error{ErrorCode::kResource,
               std::string("it needs a part of this program that is not there; install ") + packages +
                   " and build with -DVQCODEC_AUDIO=ON: " + address.error().message};
}

}  // namespace

Result<const AudioPart*> LoadSoundPart() {
  static const auto part = Load("vqcodec_audio", "vqc_audio_part", "libsndfile1-dev and libsoxr-dev");
  return part;
}

Result<const AudioPart*> LoadFfmpegPart() {
  static const auto part =
      Load("vqcodec_ffmpeg", "vqc_ffmpeg_part", "libavformat-dev, libavcodec-dev and libavutil-dev");
  return part;
}

}  // namespace vqc
