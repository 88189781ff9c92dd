// SPDX-License-Identifier: Apache-2.0
// Spectra of real signals, in double precision: what the metrics of sound need.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace vqc {

// Magnitudes |X[k]|, k = 0 .. size / 2, of frames of windowed samples.
class Spectrum {
 public:
  // size: a power of two. REQUIRES: window.size() <= size; a frame is filled up with zeros.
  Spectrum(size_t size, std::vector<double> window);
  // REQUIRES: frame.size() == window.size(), magnitudes.size() == size / 2 + 1
  void Of(std::span<const double> frame, std::span<double> magnitudes);

 private:
  std::vector<double> window_, cos_, sin_, re_, im_;
  std::vector<size_t> order_;
};

// Periodic Hann window: 0.5 - 0.5 cos(2 pi i / size).
std::vector<double> HannWindow(size_t size);

}  // namespace vqc
