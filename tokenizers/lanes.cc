// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/lanes.h"

#include <string>

namespace vqc {

Result<Lanes> Lanes::Of(int channels, int width) {
  if (width == 1 || channels == 1 || channels == width)
    return Lanes{static_cast<size_t>(channels), static_cast<size_t>(width)};
  return Error{ErrorCode::kUsage, "the sound has " + std::to_string(channels) +
                                      " channels, the model takes 1 or " + std::to_string(width) +
                                      "; mix it down, or name another model with --model"};
}

std::vector<float> Lanes::Take(std::span<const float> sound, size_t lane) const {
  if (channels == width) return {sound.begin(), sound.end()};
  std::vector<float> taken(sound.size() / channels * width);
  for (size_t i = 0; i < taken.size(); ++i) taken[i] = sound[i / width * channels + lane];
  return taken;
}

void Lanes::Put(std::span<const float> given, size_t lane, std::span<float> sound) const {
  if (channels == width) {
    std::copy(given.begin(), given.end(), sound.begin());
    return;
  }
  for (size_t i = 0; i < given.size() / width; ++i) {
    float sum = 0;
    for (size_t c = 0; c < width; ++c) sum += given[i * width + c];
    sound[i * channels + lane] = sum / static_cast<float>(width);
  }
}

}  // namespace vqc
