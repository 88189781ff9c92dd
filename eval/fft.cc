// SPDX-License-Identifier: Apache-2.0
#include "eval/fft.h"

#include <cmath>
#include <utility>

namespace vqc {

Spectrum::Spectrum(size_t size, std::vector<double> window)
    : window_(std::move(window)), re_(size), im_(size), order_(size) {
  for (size_t k = 0; k < size / 2; ++k) {
    const double angle = 2 * M_PI * static_cast<double>(k) / static_cast<double>(size);
    cos_.push_back(std::cos(angle));
    sin_.push_back(-std::sin(angle));
  }
  for (size_t i = 0, bits = size; i < size; ++i) {
    size_t reversed = 0;
    for (size_t bit = 1, from = i; bit < bits; bit *= 2, from /= 2) reversed = 2 * reversed + from % 2;
    order_[i] = reversed;
  }
}

void Spectrum::Of(std::span<const double> frame, std::span<double> magnitudes) {
  const size_t size = re_.size();
  for (size_t i = 0; i < size; ++i) {
    re_[order_[i]] = i < frame.size() ? frame[i] * window_[i] : 0.0;
    im_[i] = 0;
  }
  // Cooley and Tukey, radix 2.
  for (size_t half = 1; half < size; half *= 2) {
    const size_t stride = size / 2 / half;
    for (size_t start = 0; start < size; start += 2 * half) {
      for (size_t k = 0; k < half; ++k) {
        const size_t a = start + k, b = a + half;
        const double c = cos_[k * stride], s = sin_[k * stride];
        const double re = re_[b] * c - im_[b] * s, im = re_[b] * s + im_[b] * c;
        re_[b] = re_[a] - re;
        im_[b] = im_[a] - im;
        re_[a] += re;
        im_[a] += im;
      }
    }
  }
  for (size_t k = 0; k < magnitudes.size(); ++k) magnitudes[k] = std::sqrt(re_[k] * re_[k] + im_[k] * im_[k]);
}

std::vector<double> HannWindow(size_t size) {
  std::vector<double> window(size);
  for (size_t i = 0; i < size; ++i) {
    window[i] = 0.5 - 0.5 * std::cos(2 * M_PI * static_cast<double>(i) / static_cast<double>(size));
  }
  return window;
}

}  // namespace vqc
