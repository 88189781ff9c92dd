// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/report/shown_sound.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/base64.h"

namespace vqc {
namespace {

void Put(std::vector<uint8_t>& bytes, uint32_t value, int count) {
  for (int i = 0; i < count; ++i) bytes.push_back(static_cast<uint8_t>(value >> 8 * i));
}

void Put(std::vector<uint8_t>& bytes, std::string_view text) {
  bytes.insert(bytes.end(), text.begin(), text.end());
}

}  // namespace

Json ShownSound(const Clip& clip) {
  const auto channels = static_cast<size_t>(clip.channels);
  const size_t frames =
      std::min(static_cast<size_t>(clip.frames), static_cast<size_t>(kShownSeconds * clip.rate));
  const auto rate = static_cast<uint32_t>(clip.rate), size = static_cast<uint32_t>(2 * frames);
  std::vector<uint8_t> wav;
  Put(wav, "RIFF");
  Put(wav, 36 + size, 4);
  Put(wav, "WAVEfmt ");
  Put(wav, 16, 4);
  Put(wav, 1, 2);  // PCM
  Put(wav, 1, 2);  // channel
  Put(wav, rate, 4);
  Put(wav, 2 * rate, 4);
  Put(wav, 2, 2);
  Put(wav, 16, 2);
  Put(wav, "data");
  Put(wav, size, 4);
  for (size_t i = 0; i < frames; ++i) {
    float sum = 0;
    for (size_t c = 0; c < channels; ++c) sum += clip.data[i * channels + c];
    const float mean = std::clamp(sum / static_cast<float>(channels), -1.0f, 1.0f);
    Put(wav, static_cast<uint32_t>(static_cast<int32_t>(std::lround(32767 * mean))), 2);
  }
  return {{"rate", rate},
          {"frames", frames},
          {"wav", ToBase64(wav)},
          {"cut", frames < static_cast<size_t>(clip.frames)}};
}

}  // namespace vqc
