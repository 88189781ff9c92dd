// SPDX-License-Identifier: Apache-2.0
// Sound to the bytes of a file by one of FFmpeg's encoders: other codecs, to be compared with ours.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clip.h"
#include "base/result.h"

namespace vqc {

// Names are FFmpeg's; options are NAME=VALUE with colons between them.
struct AudioCoding {
  std::string encoder, format;  // "libopus", "ogg"
  std::string options, format_options;
};

struct CodedAudio {
  std::vector<uint8_t> file;   // the same for the same sound in every call
  uint64_t payload_bytes = 0;  // of it, what the encoder made, without the container
};

// One thread. Errors: kResource (no FFmpeg, or one without the encoder or format), kUsage (options, or a rate
// or channels that the encoder does not take).
Result<CodedAudio> EncodeByFfmpeg(const Clip& sound, const AudioCoding& coding);

}  // namespace vqc
