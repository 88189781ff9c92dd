// SPDX-License-Identifier: Apache-2.0
#include "training/perceptual_losses.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <functional>

namespace vqc {
namespace {

// STOI: frames of 25.6 ms, 15 bands from 150 Hz, segments of 30 frames.
constexpr double kEnvelopeHop = 0.0128, kLowestThird = 150;
constexpr int64_t kThirds = 15, kSegment = 30, kSegmentStep = 6;
constexpr double kSilent = 1e-4;    // of the power of a clip's loudest frame: 40 dB
constexpr double kClipping = 6.62;  // 1 + 10^(15 / 20)

// PESQ: frames of 32 ms up to 8 kHz, intervals of 20 frames.
constexpr double kLoudnessHop = 0.016, kHighest = 8000, kSpeechFrom = 350, kSpeechTo = 3250;
constexpr int64_t kCritical = 49, kInterval = 20, kIntervalStep = 10;
constexpr double kLevel = 7.9;      // power of speech is 10^this, 79 dB above that of the threshold at 0 dB
constexpr double kQuietest = 1e-7;  // power of samples: what is softer is not made louder
constexpr double kLoudnessPower = 0.23;                 // Zwicker
constexpr double kSone = 0.187;                         // scale of loudness
constexpr double kMasked = 0.25;                        // of the softer one: differences below are not heard
constexpr double kLoudest = 45;                         // limit of a frame's disturbance
constexpr double kIntervalNorm = 6;                     // short disturbances count more
constexpr double kPoints = 0.1, kAddedPoints = 0.0309;  // of opinion, for a unit of each disturbance
constexpr double kSmall = 1e-8,
                 kLeastDisturbance = 1e-3;  // the latter of disturbances, whose sixth power has to exist

using Edges = std::function<double(double band)>;  // Hz of the begin of a band

// 1 where the bin lies in the band; parts of bins at the edges, so that narrow bands are not empty.
torch::Tensor Bands(int64_t window, double rate, int64_t count, const Edges& edge) {
  auto bank = torch::zeros({window / 2 + 1, count});
  const double width = rate / static_cast<double>(window);
  for (int64_t band = 0; band < count; ++band) {
    const double from = edge(static_cast<double>(band)), to = edge(static_cast<double>(band + 1));
    for (int64_t bin = 0; bin < bank.size(0); ++bin) {
      const double low = (static_cast<double>(bin) - 0.5) * width;
      const double part = std::min(low + width, to) - std::max(low, from);
      if (part > 0) bank[bin][band] = part / width;
    }
  }
  return bank;
}

// Traunmueller's scale up to a factor: Wang, Sekey & Gersho 1992.
double Bark(double hertz) { return 6 * std::asinh(hertz / 600); }
double Hertz(double bark) { return 600 * std::sinh(bark / 6); }

// Terhardt 1979, as a power.
double Threshold(double hertz) {
  const double k = hertz / 1000;
  const double decibels =
      3.64 * std::pow(k, -0.8) - 6.5 * std::exp(-0.6 * (k - 3.3) * (k - 3.3)) + 1e-3 * std::pow(k, 4);
  return std::pow(10, decibels / 10);
}

// Power [B, T, bins].
torch::Tensor Power(const torch::Tensor& samples, int64_t hop, const torch::Tensor& window) {
  const auto spectrum =
      torch::stft(samples, 2 * hop, hop, 2 * hop, window, /*center=*/false, "constant", false, true, true);
  return torch::view_as_real(spectrum).square().sum(-1).transpose(1, 2);
}

// Without the mean of those entries of the last dimension that count, and of length 1.
torch::Tensor Normalized(const torch::Tensor& x, const torch::Tensor& counts) {
  const auto mean = (x * counts).sum(-1, true) / counts.sum(-1, true).clamp_min(1);
  const auto centred = (x - mean) * counts;
  return centred * torch::rsqrt(centred.square().sum(-1, true) + kSmall);
}

}  // namespace

PerceptualLosses::PerceptualLosses(double rate, torch::Device device)
    : envelope_hop_(std::lround(kEnvelopeHop * rate)), loudness_hop_(std::lround(kLoudnessHop * rate)) {
  envelope_window_ = torch::hann_window(2 * envelope_hop_).to(device);
  thirds_ = Bands(2 * envelope_hop_, rate, kThirds, [](double band) {
              return kLowestThird * std::pow(2, (2 * band - 1) / 6);
            }).to(device);
  const int64_t window = 2 * loudness_hop_;
  loudness_window_ = torch::hann_window(window).to(device);
  const double step = Bark(kHighest) / static_cast<double>(kCritical);
  critical_ = Bands(window, rate, kCritical, [&](double band) { return Hertz(band * step); }).to(device);
  speech_ =
      Bands(window, rate, 1, [](double band) { return band == 0 ? kSpeechFrom : kSpeechTo; }).to(device);
  threshold_ = torch::empty({kCritical});
  for (int64_t band = 0; band < kCritical; ++band) {
    threshold_[band] = Threshold(Hertz((static_cast<double>(band) + 0.5) * step));
  }
  threshold_ = threshold_.to(device);
  loudness_scale_ = kSone * torch::pow(threshold_ * 2, kLoudnessPower);
}

torch::Tensor PerceptualLosses::Unintelligible(const torch::Tensor& decoded,
                                               const torch::Tensor& original) const {
  const auto power = Power(original, envelope_hop_, envelope_window_);
  const auto loud = power.sum(-1);  // [B, T]
  const auto heard = (loud > kSilent * loud.amax(1, true)).to(torch::kFloat32);
  // [B, segments, bands, frames]
  const auto segments = [](const torch::Tensor& x) { return x.unfold(1, kSegment, kSegmentStep); };
  const auto envelopes = [&](const torch::Tensor& p) {
    return segments(torch::sqrt(torch::matmul(p, thirds_) + kSmall));
  };
  const auto counts = segments(heard.unsqueeze(2));
  const auto x = envelopes(power), all = envelopes(Power(decoded, envelope_hop_, envelope_window_));
  const auto energy = [&](const torch::Tensor& e) { return (e.square() * counts).sum(-1, true) + kSmall; };
  const auto y = torch::minimum(all * torch::sqrt(energy(x) / energy(all)), x * kClipping);
  const auto alike = (Normalized(x, counts) * Normalized(y, counts)).sum(-1);  // [B, segments, bands]
  const auto weight = counts.mean(-1);                                         // [B, segments, 1]
  return ((1 - alike) * weight).sum() / (weight.sum() * static_cast<double>(kThirds) + kSmall);
}

torch::Tensor PerceptualLosses::Disturbance(const torch::Tensor& decoded,
                                            const torch::Tensor& original) const {
  const auto given = Power(original, loudness_hop_, loudness_window_);
  const double least = kQuietest * static_cast<double>(loudness_hop_ * loudness_hop_);
  const auto level =
      std::pow(10, kLevel) / (torch::matmul(given, speech_).mean({1, 2}, true) + least);  // [B, 1, 1]
  const auto excitation = [&](const torch::Tensor& power) { return torch::matmul(power * level, critical_); };
  const auto loudness = [&](const torch::Tensor& e) {
    return loudness_scale_ * (torch::pow(0.5 + 0.5 * e / threshold_, kLoudnessPower) - 1).clamp_min(0);
  };
  const auto px = excitation(given), py = excitation(Power(decoded, loudness_hop_, loudness_window_));
  const auto lx = loudness(px), ly = loudness(py);
  const auto heard = ((ly - lx).abs() - kMasked * torch::minimum(lx, ly)).clamp_min(0);  // [B, T, bands]
  // What was added disturbs more than what is missing.
  const auto asymmetry = torch::pow((py + 50) / (px + 50), 1.2);
  const auto added = asymmetry.clamp_max(12) * (asymmetry > 3);
  const double width = Bark(kHighest) / static_cast<double>(kCritical);
  const auto frames = torch::sqrt(heard.square().sum(2) * width * Bark(kHighest) + kSmall);
  const auto more = (heard * added).sum(2) * width;
  // Frames in pauses count more, and short peaks too.
  const auto weight = torch::pow((px.sum(2) + 1e5) / 1e7, -0.04);  // [B, T]
  const auto over = [&](const torch::Tensor& d) {
    const auto intervals = (d * weight).clamp_max(kLoudest).unfold(1, kInterval, kIntervalStep);
    const auto peaks =
        torch::pow(torch::pow(intervals + kLeastDisturbance, kIntervalNorm).mean(2), 2 / kIntervalNorm);
    return torch::sqrt(peaks.mean(1)).mean();
  };
  return kPoints * over(frames) + kAddedPoints * over(more);
}

PerceptualLosses::Terms PerceptualLosses::Compare(const torch::Tensor& decoded,
                                                  const torch::Tensor& original) const {
  return {Unintelligible(decoded, original), Disturbance(decoded, original)};
}

}  // namespace vqc
