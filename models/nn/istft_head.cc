// SPDX-License-Identifier: Apache-2.0
#include "models/nn/istft_head.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "models/audio_fourier.h"
#include "models/nn/layer_maker.h"

namespace vqc::nn {
namespace {

using audio::Linear;

constexpr float kMostMagnitude = 100;
constexpr size_t kRowsAtOnce = 64;  // bounds memory; results do not depend on it

class IstftHead : public StreamLayer {
 public:
  IstftHead(Linear out, size_t length, size_t hop)
      : out_(std::move(out)), window_(audio::Hann(length, 1)), inverse_(window_), hop_(hop) {}

  std::unique_ptr<State> Start() const override {
    auto sums = std::make_unique<Sums>();
    sums->sound.resize(window_.size());
    sums->squares.resize(window_.size());
    sums->skip = (window_.size() - hop_) / 2;
    return sums;
  }

  std::vector<float> Push(State* state, std::vector<float> x, bool last) const override {
    auto& sums = *static_cast<Sums*>(state);
    const size_t rows = x.size() / out_.In(), length = window_.size();
    std::vector<float> samples;
    for (size_t at = 0; at < rows; at += kRowsAtOnce) {
      const size_t count = std::min(kRowsAtOnce, rows - at);
      const auto frames = Frames(out_.Apply(x.data() + at * out_.In(), count), count);
      for (size_t t = 0; t < count; ++t) {
        for (size_t i = 0; i < length; ++i) {
          sums.sound[i] += frames[t * length + i];
          sums.squares[i] += window_[i] * window_[i];
        }
        Give(sums, hop_, samples);
      }
    }
    sums.wanted += rows * hop_;
    if (last && sums.given < sums.wanted) Give(sums, sums.skip + sums.wanted - sums.given, samples);
    return samples;
  }

 private:
  struct Sums : State {
    std::vector<float> sound, squares;  // of the frames, from the first sample that is not complete
    size_t skip = 0;                    // samples before the beginning
    size_t wanted = 0, given = 0;
  };

  std::vector<float> Frames(const std::vector<float>& spectra, size_t count) const {
    const size_t half = window_.size() / 2 + 1;
    std::vector<float> real(count * half), imaginary(count * half), magnitudes(half);
    for (size_t t = 0; t < count; ++t) {
      const float* row = spectra.data() + t * 2 * half;
      std::copy_n(row, half, magnitudes.data());
      audio::Exp(magnitudes.data(), half);
      for (size_t k = 0; k < half; ++k) {
        const float magnitude = std::min(magnitudes[k], kMostMagnitude);
        const double phase = row[half + k];
        real[t * half + k] = magnitude * static_cast<float>(std::cos(phase));
        imaginary[t * half + k] = magnitude * static_cast<float>(std::sin(phase));
      }
    }
    return inverse_.Apply(real, imaginary);
  }

  // The first `count` samples, but for those before the beginning.
  static void Give(Sums& sums, size_t count, std::vector<float>& samples) {
    const size_t skipped = std::min(sums.skip, count);
    for (size_t i = skipped; i < count; ++i) samples.push_back(sums.sound[i] / sums.squares[i]);
    sums.skip -= skipped;
    sums.given += count - skipped;
    for (auto* kept : {&sums.sound, &sums.squares}) {
      std::copy(kept->begin() + static_cast<ptrdiff_t>(count), kept->end(), kept->begin());
      std::fill_n(kept->end() - static_cast<ptrdiff_t>(count), count, 0.0f);
    }
  }

  Linear out_;
  std::vector<float> window_;
  audio::InverseFourier inverse_;
  size_t hop_;
};

}  // namespace

Result<LayerPtr> LoadIstftHead(const Weights& weights, const std::string& name, size_t width, size_t length,
                               size_t hop) {
  if (weights.Maker()) return weights.Maker()->IstftHead(weights, name, width, length, hop);
  VQC_ASSIGN(Linear out, Linear::Load(weights, name, width, length + 2));
  return LayerPtr(std::make_unique<IstftHead>(std::move(out), length, hop));
}

}  // namespace vqc::nn
