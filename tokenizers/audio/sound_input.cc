// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/audio/sound_input.h"

#include <cmath>

namespace vqc {

Status CheckSamples(std::span<const float> samples) {
  for (const float sample : samples) {
    if (!std::isfinite(sample)) {
      return Error{ErrorCode::kInput, "a sample is not a number; replace it before encoding"};
    }
  }
  return {};
}

TokenShape SoundShape(size_t levels, int stride, int frames) {
  const auto length = static_cast<uint32_t>(stride);
  return {static_cast<uint32_t>(levels), (static_cast<uint32_t>(frames) + length - 1) / length, 1, 1};
}

std::vector<float> ProbeSound(int samples) {
  std::vector<float> probe(static_cast<size_t>(samples));
  for (size_t i = 0; i < probe.size(); ++i) {
    probe[i] = static_cast<float>(static_cast<int>(i * i / 64 % 512) - 256) / 512.0f;
  }
  return probe;
}

}  // namespace vqc
