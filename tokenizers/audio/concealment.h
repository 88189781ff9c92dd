// SPDX-License-Identifier: Apache-2.0
// Fades sound that stands for lost tokens, and keeps it no louder than what was heard before.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <deque>
#include <utility>
#include <vector>

namespace vqc {

class Concealment {
 public:
  explicit Concealment(int rate) : fade_(std::exp(-1.0f / (kFadeSeconds * static_cast<float>(rate)))) {}

  // The next `samples` samples of the decoder are of lost tokens or of real ones. Decoders give them later.
  void Add(size_t samples, bool lost) {
    if (!spans_.empty() && spans_.back().second == lost) {
      spans_.back().first += samples;
    } else {
      spans_.emplace_back(samples, lost);
    }
  }

  // Gains move from sample to sample: down to silence in lost spans, up again quickly after them.
  std::vector<float> Apply(std::vector<float> samples) {
    for (float& sample : samples) {
      while (!spans_.empty() && spans_.front().first == 0) spans_.pop_front();
      const bool lost = !spans_.empty() && spans_.front().second;
      if (!spans_.empty()) --spans_.front().first;
      if (lost) {
        gain_ *= fade_;
        sample = std::clamp(sample * gain_, -peak_, peak_);
        continue;
      }
      if (gain_ < 1) {
        gain_ = std::min(1.0f, gain_ + kRise);
        sample *= gain_;
      }
      peak_ = std::max(peak_, std::abs(sample));
    }
    return samples;
  }

 private:
  static constexpr float kFadeSeconds = 0.06f, kRise = 1.0f / 120;
  std::deque<std::pair<size_t, bool>> spans_;
  float fade_, gain_ = 1, peak_ = 0;
};

}  // namespace vqc
