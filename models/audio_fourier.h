// SPDX-License-Identifier: Apache-2.0
// Fourier transforms of short frames of sound, as products with tables of waves.
#pragma once

#include <cstddef>
#include <vector>

#include "models/audio_layers.h"

namespace vqc::audio {

// The periodic window of Hann, times `scale`.
std::vector<float> Hann(size_t length, double scale);

// Real parts (or imaginary ones, with `sine`) of the bins 0 ... N / 2 from the sums (differences) of the
// samples n and N - n, n = 0 ... N / 2, which are counted once at both ends. `length`, N, is even.
Linear Analysis(size_t length, bool sine);

// From spectra to windowed frames.
class InverseFourier {
 public:
  // REQUIRES: an even number of samples
  explicit InverseFourier(std::vector<float> window);

  size_t Length() const { return window_.size(); }
  // Real and imaginary parts [frames][N / 2 + 1] -> [frames][N].
  std::vector<float> Apply(const std::vector<float>& real, const std::vector<float>& imaginary) const;

 private:
  std::vector<float> window_;
  Linear even_, odd_;  // to the even and odd parts of the samples
};

}  // namespace vqc::audio
