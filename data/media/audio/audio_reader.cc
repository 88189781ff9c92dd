// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "base/within_memory.h"
#include "data/media/audio/audio.h"

namespace vqc {
namespace {

constexpr int kMaxClipFrames = 1 << 20;

// Clips and silences; returns how many samples were not as they should be.
uint64_t Repair(std::span<float> samples) {
  uint64_t repaired = 0;
  for (float& sample : samples) {
    if (sample >= -1.0f && sample <= 1.0f) continue;
    sample = std::isnan(sample) ? 0.0f : std::clamp(sample, -1.0f, 1.0f);
    ++repaired;
  }
  return repaired;
}

}  // namespace

Result<size_t> AudioReader::Read(std::span<float> interleaved) {
  return WithinMemory([&]() -> Result<size_t> {
    const auto channels = static_cast<size_t>(Info().channels);
    const size_t wanted = interleaved.size() / channels;
    size_t frames = 0;
    while (frames < wanted && !done_) {
      VQC_ASSIGN(const size_t got,
                 DoRead(interleaved.subspan(frames * channels, (wanted - frames) * channels)));
      done_ = got == 0;
      frames += got;
    }
    repaired_ += Repair(interleaved.first(frames * channels));
    return frames;
  });
}

Result<std::optional<Clip>> AudioReader::Next(int max_frames) {
  Clip clip;
  clip.modality = Modality::kAudio;
  clip.channels = Info().channels;
  clip.rate = Info().rate;
  clip.bit_depth = 16;
  clip.data.resize(static_cast<size_t>(std::clamp(max_frames, 1, kMaxClipFrames)) *
                   static_cast<size_t>(clip.channels));
  VQC_ASSIGN(const size_t frames, Read(clip.data));
  if (frames == 0) return std::optional<Clip>();
  clip.frames = static_cast<int>(frames);
  clip.data.resize(frames * static_cast<size_t>(clip.channels));
  return std::optional<Clip>(std::move(clip));
}

}  // namespace vqc
