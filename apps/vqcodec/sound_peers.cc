// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/sound_peers.h"

#include <algorithm>

#include "apps/vqcodec/compare_sound.h"
#include "base/stopwatch.h"
#include "data/media/audio/audio.h"
#include "data/media/audio/audio_coding.h"
#include "data/media/audio/resample.h"

namespace vqc {
namespace {

constexpr int kOpusRates[] = {8000, 12000, 16000, 24000, 48000}, kCodec2Rates[] = {8000};

constexpr SoundPeerSetting kOpus[] = {{"6k", "b=6000", 6, 0},    {"8k", "b=8000", 8, 0},
                                      {"12k", "b=12000", 12, 0}, {"16k", "b=16000", 16, 0},
                                      {"24k", "b=24000", 24, 0}, {"32k", "b=32000", 32, 0}};
constexpr SoundPeerSetting kCodec2[] = {{"700C", "mode=700C", 0.7, 32},
                                        {"1200", "mode=1200", 1.2, 20},
                                        {"2400", "mode=2400", 2.4, 20},
                                        {"3200", "mode=3200", 3.2, 20}};

// Settings that favour the codec where size counts and delay does not: long frames, pages of a minute.
constexpr SoundPeerRow kPeers[] = {
    {"opus", "libopus", "ogg", "application=audio:frame_duration=60:vbr=on:compression_level=10",
     "page_duration=60000000", kOpusRates, 2, kOpus},
    {"codec2", "libcodec2", "codec2", "", "", kCodec2Rates, 1, kCodec2},
};

// At another rate and with `frames` frames: cut, or silence after the end.
Result<Clip> AtRate(const Clip& clip, int rate, int64_t frames) {
  Clip other = clip;
  if (static_cast<int>(clip.rate) != rate) {
    VQC_ASSIGN(Resampler resampler, Resampler::Create(static_cast<int>(clip.rate), rate, clip.channels));
    other.data.clear();
    VQC_TRY(resampler.Push(clip.data, other.data));
    VQC_TRY(resampler.Flush(other.data));
  }
  for (float& sample : other.data) sample = std::clamp(sample, -1.0f, 1.0f);
  if (frames > 0) other.data.resize(static_cast<size_t>(frames * clip.channels));
  other.rate = rate;
  other.frames = static_cast<int>(other.data.size() / static_cast<size_t>(clip.channels));
  return other;
}

AudioCoding CodingOf(const SoundPeerRow& peer, const SoundPeerSetting& setting) {
  const std::string own(peer.options);
  return {std::string(peer.encoder), std::string(peer.format),
          own + (own.empty() ? "" : ":") + std::string(setting.options), std::string(peer.format_options)};
}

}  // namespace

std::span<const SoundPeerRow> SoundPeers() { return kPeers; }

Result<const SoundPeerRow*> FindSoundPeer(std::string_view name) {
  std::string names;
  for (const SoundPeerRow& peer : kPeers) {
    names += (names.empty() ? "" : ", ") + std::string(peer.name);
    if (peer.name != name) continue;
    // A moment of silence shows whether this FFmpeg has the encoder.
    const Clip silence{.modality = Modality::kAudio,
                       .frames = 960,
                       .rate = static_cast<double>(peer.rates.front()),
                       .data = std::vector<float>(960)};
    if (const auto run = RunSoundPeer(peer, peer.settings.front(), silence, {}); !run.ok()) {
      return Error{ErrorCode::kResource, std::string(name) + ": " + run.error().message};
    }
    return &peer;
  }
  return Error{ErrorCode::kUsage,
               std::string(name) + " is not a codec of sound to compare with; there are " + names};
}

std::string DescribeSoundPeer(const SoundPeerRow& peer, const SoundPeerSetting& setting) {
  const AudioCoding coding = CodingOf(peer, setting);
  return "FFmpeg " + coding.encoder + " " + coding.options + " in " + coding.format;
}

Result<SoundPeerRun> RunSoundPeer(const SoundPeerRow& peer, const SoundPeerSetting& setting, const Clip& clip,
                                  const Limits& limits) {
  if (clip.channels > peer.most_channels) {
    return Error{ErrorCode::kInput, "has " + std::to_string(clip.channels) + " channels, " +
                                        std::string(peer.name) + " takes " +
                                        std::to_string(peer.most_channels)};
  }
  const auto own = static_cast<int>(clip.rate);
  const auto fits = std::find_if(peer.rates.begin(), peer.rates.end(), [own](int r) { return r >= own; });
  const int rate = fits == peer.rates.end() ? peer.rates.back() : *fits;
  SoundPeerRun run;
  const Stopwatch encoding;
  VQC_ASSIGN(const Clip given, AtRate(clip, rate, 0));
  VQC_ASSIGN(CodedAudio coded, EncodeByFfmpeg(given, CodingOf(peer, setting)));
  run.encode_seconds = encoding.Seconds();
  run.file_bytes = coded.file.size();
  run.payload_bytes = coded.payload_bytes;
  const Stopwatch decoding;
  VQC_ASSIGN(const auto reader, OpenAudioBytes(std::move(coded.file), std::string(peer.name), limits));
  VQC_ASSIGN(Clip decoded, ReadToEnd(*reader, std::string(peer.name), limits));
  const auto late =
      static_cast<size_t>(setting.delay_ms / 1e3 * decoded.rate) * static_cast<size_t>(clip.channels);
  decoded.data.erase(decoded.data.begin(),
                     decoded.data.begin() + static_cast<ptrdiff_t>(std::min(late, decoded.data.size())));
  VQC_ASSIGN(run.decoded, AtRate(decoded, own, clip.frames));
  run.decode_seconds = decoding.Seconds();
  return run;
}

}  // namespace vqc
