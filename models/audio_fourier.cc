// SPDX-License-Identifier: Apache-2.0
#include "models/audio_fourier.h"

#include <cmath>
#include <numbers>
#include <utility>

namespace vqc::audio {
namespace {

// [rows][columns] of weight(row, column) * cos or sin of 2 pi row column / length, angles reduced exactly.
template <class Weight>
std::vector<float> Waves(size_t rows, size_t columns, size_t length, bool sine, Weight&& weight) {
  std::vector<float> table(rows * columns);
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < columns; ++c) {
      const double turn =
          2 * std::numbers::pi * static_cast<double>(r * c % length) / static_cast<double>(length);
      table[r * columns + c] = static_cast<float>(weight(r, c) * (sine ? std::sin(turn) : std::cos(turn)));
    }
  }
  return table;
}

Linear Synthesis(size_t length, bool sine) {
  const size_t half = length / 2 + 1;
  const auto weight = [&](size_t, size_t bin) {
    const double twice = bin == 0 || bin == half - 1 ? 1.0 : 2.0;
    return (sine ? -twice : twice) / static_cast<double>(length);
  };
  return Linear(Waves(half, half, length, sine, weight), {}, half, half);
}

}  // namespace

std::vector<float> Hann(size_t length, double scale) {
  std::vector<float> window(length);
  for (size_t i = 0; i < length; ++i) {
    const double turn = 2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(length);
    window[i] = static_cast<float>(scale * (0.5 - 0.5 * std::cos(turn)));
  }
  return window;
}

Linear Analysis(size_t length, bool sine) {
  const size_t half = length / 2 + 1;
  return Linear(Waves(half, half, length, sine, [&](size_t, size_t) { return sine ? -1.0 : 1.0; }), {}, half,
                half);
}

InverseFourier::InverseFourier(std::vector<float> window)
    : window_(std::move(window)),
      even_(Synthesis(window_.size(), false)),
      odd_(Synthesis(window_.size(), true)) {}

std::vector<float> InverseFourier::Apply(const std::vector<float>& real,
                                         const std::vector<float>& imaginary) const {
  const size_t length = window_.size(), half = length / 2 + 1, count = real.size() / half;
  const auto even = even_.Apply(real.data(), count), odd = odd_.Apply(imaginary.data(), count);
  std::vector<float> frames(count * length);
  for (size_t t = 0; t < count; ++t) {
    const float* e = even.data() + t * half;
    const float* o = odd.data() + t * half;
    float* frame = frames.data() + t * length;
    for (size_t n = 0; n < half; ++n) frame[n] = (e[n] + o[n]) * window_[n];
    for (size_t n = 1; n + 1 < half; ++n) frame[length - n] = (e[n] - o[n]) * window_[length - n];
  }
  return frames;
}

}  // namespace vqc::audio
