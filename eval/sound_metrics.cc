// SPDX-License-Identifier: Apache-2.0
#include "eval/sound_metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "eval/fft.h"
#include "eval/stoi.h"

namespace vqc {
namespace {

using Samples = std::span<const double>;

// Le Roux, Wisdom, Erdogan, Hershey, SDR - half-baked or well done?, 2019; means removed.
Result<double> SiSdr(Samples reference, Samples decoded, int) {
  const auto count = static_cast<double>(reference.size());
  double mean_x = 0, mean_y = 0;
  for (size_t i = 0; i < reference.size(); ++i) {
    mean_x += reference[i] / count;
    mean_y += decoded[i] / count;
  }
  double xx = 0, xy = 0;
  for (size_t i = 0; i < reference.size(); ++i) {
    xx += (reference[i] - mean_x) * (reference[i] - mean_x);
    xy += (reference[i] - mean_x) * (decoded[i] - mean_y);
  }
  if (xx == 0) return std::numeric_limits<double>::quiet_NaN();  // silence has no such figure
  const double scale = xy / xx;
  double target = 0, rest = 0;
  for (size_t i = 0; i < reference.size(); ++i) {
    const double wanted = scale * (reference[i] - mean_x);
    target += wanted * wanted;
    rest += (decoded[i] - mean_y - wanted) * (decoded[i] - mean_y - wanted);
  }
  return 10 * std::log10(target / rest);
}

// Calls `use` with the magnitudes of every frame of both; frames are centred at multiples of the hop, zeros
// beyond the ends.
template <class Use>
void EachFrame(Samples a, Samples b, size_t size, size_t hop, Use use) {
  Spectrum spectrum(size, HannWindow(size));
  std::vector<double> frame(size), ma(size / 2 + 1), mb(size / 2 + 1);
  const auto load = [&](Samples samples, size_t centre) {
    for (size_t i = 0; i < size; ++i) {
      const size_t at = centre + i;  // of the signal with size / 2 zeros before it
      frame[i] = at >= size / 2 && at - size / 2 < samples.size() ? samples[at - size / 2] : 0.0;
    }
  };
  for (size_t centre = 0; centre <= a.size(); centre += hop) {
    load(a, centre);
    spectrum.Of(frame, ma);
    load(b, centre);
    spectrum.Of(frame, mb);
    use(ma, mb);
  }
}

constexpr double kFloor = 1e-5;

// Mean over frames and 80 bands of the difference of log10 of mel magnitudes.
Result<double> MelDistance(Samples reference, Samples decoded, int rate) {
  constexpr size_t kSize = 1024, kHop = 256, kBands = 80;
  const auto mel = [](double hz) { return 2595 * std::log10(1 + hz / 700); };
  const auto hertz = [](double m) { return 700 * (std::pow(10, m / 2595) - 1); };
  std::vector<double> edges;
  for (size_t i = 0; i < kBands + 2; ++i) {
    edges.push_back(hertz(mel(rate / 2.0) * static_cast<double>(i) / (kBands + 1)));
  }
  // Triangles of height 1 over the bins.
  struct Weight {
    size_t bin, band;
    double weight;
  };
  std::vector<Weight> weights;
  for (size_t k = 0; k <= kSize / 2; ++k) {
    const double f = static_cast<double>(k) * rate / kSize;
    for (size_t b = 0; b < kBands; ++b) {
      const double up = (f - edges[b]) / (edges[b + 1] - edges[b]);
      const double down = (edges[b + 2] - f) / (edges[b + 2] - edges[b + 1]);
      if (const double w = std::min(up, down); w > 0) weights.push_back({k, b, w});
    }
  }
  double sum = 0;
  size_t terms = 0;
  std::vector<double> ma(kBands), mb(kBands);
  EachFrame(reference, decoded, kSize, kHop, [&](const auto& a, const auto& b) {
    std::fill(ma.begin(), ma.end(), 0.0);
    std::fill(mb.begin(), mb.end(), 0.0);
    for (const Weight& w : weights) {
      ma[w.band] += w.weight * a[w.bin];
      mb[w.band] += w.weight * b[w.bin];
    }
    for (size_t i = 0; i < kBands; ++i) {
      sum += std::abs(std::log10(std::max(ma[i], kFloor)) - std::log10(std::max(mb[i], kFloor)));
    }
    terms += kBands;
  });
  return sum / static_cast<double>(terms);
}

// Yamamoto, Song, Kim, Parallel WaveGAN, 2020: spectral convergence plus the mean difference of log
// magnitudes, the mean over three resolutions.
Result<double> StftDistance(Samples reference, Samples decoded, int) {
  double total = 0;
  for (const size_t size : {size_t{512}, size_t{1024}, size_t{2048}}) {
    double difference = 0, energy = 0, logs = 0;
    size_t terms = 0;
    EachFrame(reference, decoded, size, size / 4, [&](const auto& a, const auto& b) {
      for (size_t k = 0; k < a.size(); ++k) {
        difference += (a[k] - b[k]) * (a[k] - b[k]);
        energy += a[k] * a[k];
        logs += std::abs(std::log(std::max(a[k], kFloor)) - std::log(std::max(b[k], kFloor)));
      }
      terms += a.size();
    });
    total += std::sqrt(difference) / std::max(std::sqrt(energy), kFloor) + logs / static_cast<double>(terms);
  }
  return total / 3;
}

Result<double> Stoi(Samples reference, Samples decoded, int rate) {
  return StoiOf(reference, decoded, rate, false);
}
Result<double> Estoi(Samples reference, Samples decoded, int rate) {
  return StoiOf(reference, decoded, rate, true);
}

constexpr SoundMetricRow kMetrics[] = {
    {"si_sdr", "dB", "signal to distortion ratio, whatever the loudness", true, 2, &SiSdr},
    {"stoi", "", "intelligibility of speech, at most 1", true, 4, &Stoi},
    {"estoi", "", "extended intelligibility of speech, at most 1", true, 4, &Estoi},
    {"mel_distance", "", "difference of log10 mel spectra, 0 is best", false, 4, &MelDistance},
    {"stft_distance", "", "difference of spectra at three resolutions, 0 is best", false, 4, &StftDistance},
};

std::vector<double> ChannelOf(const Clip& clip, int channel) {
  std::vector<double> samples(static_cast<size_t>(clip.frames));
  for (size_t i = 0; i < samples.size(); ++i) {
    samples[i] = clip.data[i * static_cast<size_t>(clip.channels) + static_cast<size_t>(channel)];
  }
  return samples;
}

}  // namespace

std::span<const SoundMetricRow> SoundMetrics() { return kMetrics; }

Result<double> MeasureSound(const SoundMetricRow& row, const Clip& reference, const Clip& decoded) {
  if (reference.frames != decoded.frames || reference.channels != decoded.channels ||
      reference.rate != decoded.rate || reference.channels < 1 || reference.frames < 1) {
    return Error{ErrorCode::kInternal, "sounds to compare have one rate, length and number of channels"};
  }
  double sum = 0;
  for (int c = 0; c < reference.channels; ++c) {
    VQC_ASSIGN(const double value,
               row.measure(ChannelOf(reference, c), ChannelOf(decoded, c), static_cast<int>(reference.rate)));
    sum += value;
  }
  return sum / reference.channels;
}

}  // namespace vqc
