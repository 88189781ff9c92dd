// SPDX-License-Identifier: Apache-2.0
// Other codecs of sound, through FFmpeg's encoders, for comparison.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/clip.h"
#include "base/limits.h"
#include "base/result.h"

namespace vqc {

// A point of a codec's curve: options of the encoder and the rate that they ask for.
struct SoundPeerSetting {
  std::string_view name;     // "12k"
  std::string_view options;  // for the encoder, NAME=VALUE with colons between them
  double nominal_kbps;       // of a channel
  double delay_ms;           // of the decoded sound behind the original, where the file does not tell it
};

struct SoundPeerRow {
  std::string_view name;             // "opus"
  std::string_view encoder, format;  // names of FFmpeg's encoder and container
  std::string_view options;          // of the encoder, for all settings
  std::string_view format_options;   // of the container
  std::span<const int> rates;        // frames a second that it takes, rising
  int most_channels;
  std::span<const SoundPeerSetting> settings;  // low to high
};
std::span<const SoundPeerRow> SoundPeers();

// kUsage for an unknown name (with all names), kResource where this program or its FFmpeg cannot encode it.
Result<const SoundPeerRow*> FindSoundPeer(std::string_view name);

// "FFmpeg libopus, application=audio..., in ogg"
std::string DescribeSoundPeer(const SoundPeerRow& peer, const SoundPeerSetting& setting);

struct SoundPeerRun {
  uint64_t file_bytes = 0, payload_bytes = 0;     // the whole file; of it, what the codec made
  Clip decoded;                                   // rate and length of the original
  double encode_seconds = 0, decode_seconds = 0;  // resampling is part of both
};

// The sound goes in at the lowest rate the codec takes that is not below its own, or at the highest, is
// decoded from the file's bytes and moved to where the original is. kInput for more channels than the codec
// takes.
Result<SoundPeerRun> RunSoundPeer(const SoundPeerRow& peer, const SoundPeerSetting& setting, const Clip& clip,
                                  const Limits& limits);

}  // namespace vqc
