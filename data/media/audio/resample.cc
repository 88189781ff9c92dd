// SPDX-License-Identifier: Apache-2.0
#include "data/media/audio/resample.h"

#include <algorithm>
#include <utility>

#include "data/media/audio/audio_part.h"
#include "data/media/audio/load_part.h"

namespace vqc {

uint64_t ResampledFrames(uint64_t frames, int from, int to) {
  const auto divisor = static_cast<uint64_t>(from);
  return (frames * static_cast<uint64_t>(to) + divisor - 1) / divisor;
}

Resampler::Resampler(int from, int to, int channels, std::unique_ptr<ResampleCore> core)
    : from_(static_cast<uint64_t>(from)),
      to_(static_cast<uint64_t>(to)),
      channels_(static_cast<size_t>(channels)),
      core_(std::move(core)) {}

Result<Resampler> Resampler::Create(int from, int to, int channels) {
  if (from == to) return Resampler(from, to, channels, nullptr);
  const auto part = LoadSoundPart();
  if (!part.ok()) {
    return Error{part.error().code, "sound of " + std::to_string(from) + " Hz cannot be brought to " +
                                        std::to_string(to) + " Hz: " + part.error().message};
  }
  VQC_ASSIGN(auto core, (*part)->resample(from, to, channels));
  return Resampler(from, to, channels, std::move(core));
}

Status Resampler::Push(std::span<const float> interleaved, std::vector<float>& out) {
  frames_in_ += interleaved.size() / channels_;
  const size_t before = out.size();
  if (!core_) {
    out.insert(out.end(), interleaved.begin(), interleaved.end());
  } else {
    const size_t block = kBlock * channels_;
    while (!interleaved.empty()) {
      const size_t count = std::min(block - waiting_.size(), interleaved.size());
      waiting_.insert(waiting_.end(), interleaved.begin(),
                      interleaved.begin() + static_cast<ptrdiff_t>(count));
      interleaved = interleaved.subspan(count);
      if (waiting_.size() < block) break;
      VQC_TRY(core_->Process(waiting_, out));
      waiting_.clear();
    }
  }
  frames_out_ += (out.size() - before) / channels_;
  return {};
}

Status Resampler::Flush(std::vector<float>& out) {
  if (!core_) return {};
  const size_t before = out.size();
  if (!waiting_.empty()) VQC_TRY(core_->Process(waiting_, out));
  VQC_TRY(core_->Flush(out));
  // The library may round the number of frames the other way.
  const uint64_t total = (frames_in_ * to_ + from_ - 1) / from_;
  out.resize(before + static_cast<size_t>(total - frames_out_) * channels_);
  return {};
}

}  // namespace vqc
