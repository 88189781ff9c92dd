// SPDX-License-Identifier: Apache-2.0
#include "training/audio_losses.h"

#include <torch/torch.h>

#include <cmath>

namespace vqc {
namespace {

// Windows and mel bands of Kumar et al. 2023 (arXiv 2306.06546) without the two shortest.
constexpr struct {
  int64_t window, mels;
} kScales[] = {{2048, 320}, {1024, 160}, {512, 80}, {256, 40}, {128, 20}};
constexpr size_t kComplexScales = 3;  // the longest windows of them
constexpr double kFloor = 1e-4;       // of mel magnitudes, before the logarithm

double Mel(double hertz) { return 2595 * std::log10(1 + hertz / 700); }

// Triangles of height 1 over bins, [bins, mels], evenly spaced in mel up to half the rate.
torch::Tensor Triangles(int64_t window, int64_t mels, double rate) {
  auto bank = torch::zeros({window / 2 + 1, mels});
  const double step = Mel(rate / 2) / static_cast<double>(mels + 1);
  for (int64_t bin = 0; bin < bank.size(0); ++bin) {
    const double place = Mel(static_cast<double>(bin) * rate / static_cast<double>(window)) / step;
    for (int64_t mel = 0; mel < mels; ++mel) {
      const double height = 1 - std::abs(place - static_cast<double>(mel + 1));
      if (height > 0) bank[bin][mel] = height;
    }
  }
  return bank;
}

torch::Tensor Spectrum(const torch::Tensor& samples, int64_t window, const torch::Tensor& hann) {
  return torch::stft(samples, window, window / 4, window, hann, /*center=*/true, "constant", false, true,
                     true);
}

torch::Tensor Magnitude(const torch::Tensor& spectrum) {
  return torch::view_as_real(spectrum).square().sum(-1).clamp_min(1e-8).sqrt();
}

torch::Tensor Compressed(const torch::Tensor& spectrum, const torch::Tensor& magnitude) {
  return torch::view_as_real(spectrum) * torch::pow(magnitude + 1e-3, -0.6).unsqueeze(-1);
}

// Le Roux et al. 2019 (arXiv 1811.02508), bounded below so that clips that are right already do not count.
torch::Tensor Distortion(const torch::Tensor& decoded, const torch::Tensor& original) {
  constexpr double kEnough = -30, kSmall = 1e-6;
  const auto scale = (decoded * original).sum(1, true) / (original.square().sum(1, true) + kSmall);
  const auto signal = scale * original;
  const auto ratio = (signal.square().sum(1) + kSmall) / ((decoded - signal).square().sum(1) + kSmall);
  return (-10 * torch::log10(ratio)).clamp_min(kEnough).mean();
}

}  // namespace

SpectralLosses::SpectralLosses(double rate, torch::Device device) {
  for (const auto& [window, mels] : kScales) {
    scales_.push_back(
        {window, torch::hann_window(window).to(device), Triangles(window, mels, rate).to(device)});
  }
}

SpectralLosses::Terms SpectralLosses::Compare(const torch::Tensor& decoded,
                                              const torch::Tensor& original) const {
  Terms terms{torch::zeros({}, decoded.options()), torch::zeros({}, decoded.options()),
              Distortion(decoded, original)};
  for (size_t i = 0; i < scales_.size(); ++i) {
    const Scale& scale = scales_[i];
    const auto made = Spectrum(decoded, scale.window, scale.hann),
               given = Spectrum(original, scale.window, scale.hann);
    const auto loud = Magnitude(made), wanted = Magnitude(given);
    const auto mel = [&](const torch::Tensor& magnitude) {
      return torch::log(torch::matmul(magnitude.transpose(1, 2), scale.mel) +
                        kFloor * std::sqrt(scale.window));
    };
    terms.mel = terms.mel + torch::l1_loss(mel(loud), mel(wanted)) / static_cast<double>(scales_.size());
    if (i < kComplexScales) {
      terms.complex = terms.complex + torch::l1_loss(Compressed(made, loud), Compressed(given, wanted)) /
                                          static_cast<double>(kComplexScales);
    }
  }
  return terms;
}

}  // namespace vqc
