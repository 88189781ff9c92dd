// SPDX-License-Identifier: Apache-2.0
// Fades sound that stands for lost tokens, and keeps it no louder than what was heard before. A network that
// goes on behind a gap may overshoot at first: until it has recovered, 2 dB above that are allowed, and its
// first samples do not count as heard, so that many gaps do not make it louder step by step. Where nothing
// was heard before, it comes in slowly.
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
  explicit Concealment(int rate)
      : rate_(static_cast<float>(rate)), fade_(std::exp(-1.0f / (kFadeSeconds * rate_))) {}

  // The next `samples` samples of the decoder are of lost tokens or of real ones. Decoders give them later.
  void Add(size_t samples, bool lost) {
    if (!spans_.empty() && spans_.back().second == lost) {
      spans_.back().first += samples;
    } else {
      spans_.emplace_back(samples, lost);
    }
  }

  // What stands for lost tokens before which nothing was heard. No decoder is asked: networks begin in the
  // midst of sound as they learned to, and what is made up would mislead them.
  std::vector<float> LostBeginning(size_t samples) {
    Add(samples, true);
    return Apply(std::vector<float>(samples, 0.0f));
  }

  // Gains move from sample to sample: down to silence in lost spans, up again quickly after them.
  std::vector<float> Apply(std::vector<float> samples) {
    for (float& sample : samples) {
      while (!spans_.empty() && spans_.front().first == 0) spans_.pop_front();
      const bool lost = !spans_.empty() && spans_.front().second;
      if (!spans_.empty()) --spans_.front().first;
      if (lost) {
        gain_ = Heard() ? gain_ * fade_ : 0;
        rise_ = Heard() ? kRise : 1 / (kBeginningSeconds * rate_);
        peak_ = std::max(peak_, recovered_peak_);
        sample = std::clamp(sample * gain_, -peak_, peak_);
        recovering_ = Heard() ? static_cast<int>(kRecoverySeconds * rate_) : 0;
        continue;
      }
      if (gain_ < 1) {
        gain_ = std::min(1.0f, gain_ + rise_);
        sample *= gain_;
      }
      if (recovering_ > 0) {
        --recovering_;
        const float most = std::max(kRoom * peak_, kQuiet);
        sample = std::clamp(sample, -most, most);
        if (recovering_ < static_cast<int>(kSettledSeconds * rate_))
          recovered_peak_ = std::max(recovered_peak_, std::abs(sample));
      } else {
        peak_ = std::max({peak_, recovered_peak_, std::abs(sample)});
      }
    }
    return samples;
  }

 private:
  bool Heard() const { return peak_ > 0; }

  static constexpr float kFadeSeconds = 0.06f, kRise = 1.0f / 120, kRecoverySeconds = 0.25f,
                         kBeginningSeconds = 0.1f;
  static constexpr float kSettledSeconds = 0.17f;  // the rest of a recovery, of which samples count
  // So much louder it may be than before; and so loud, where only silence came before.
  static constexpr float kRoom = 1.26f, kQuiet = 0.1f;
  std::deque<std::pair<size_t, bool>> spans_;
  float rate_, fade_, gain_ = 1, rise_ = kRise, peak_ = 0, recovered_peak_ = 0;
  int recovering_ = 0;  // samples
};

}  // namespace vqc
