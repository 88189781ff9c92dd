// SPDX-License-Identifier: Apache-2.0
// What a listener makes of noisy sound: losses that rise with the noise, agree with STOI, and have gradients
// whatever is compared.
#include "training/perceptual_losses.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <utility>
#include <vector>

#include "eval/stoi.h"

namespace vqc {
namespace {

constexpr int kRate = 24000;

// Something like speech: syllables of noise that has its energy where speech has it.
torch::Tensor Syllables(int64_t clips, double seconds) {
  torch::manual_seed(3);
  const auto count = static_cast<int64_t>(seconds * kRate);
  const auto frequency = torch::linspace(0, kRate / 2, count / 2 + 1);
  const auto shape = torch::exp(-(frequency - 300).abs() / 1200);
  const auto noise = torch::fft_irfft(torch::fft_rfft(torch::randn({clips, count})) * shape, count);
  const auto time = torch::arange(count) / static_cast<double>(kRate);
  const auto swell = torch::sin(20 * time + 2 * torch::sin(7 * time)).clamp_min(0.01);
  return 0.1 * noise / noise.std() * swell;
}

torch::Tensor Noisy(const torch::Tensor& sound, double decibels) {
  return sound + torch::randn_like(sound) * sound.std() * std::pow(10, -decibels / 20);
}

double Stoi(const torch::Tensor& original, const torch::Tensor& decoded) {
  const auto row = [](const torch::Tensor& x) {
    const auto wide = x.to(torch::kFloat64).contiguous();
    return std::vector<double>(wide.data_ptr<double>(), wide.data_ptr<double>() + wide.numel());
  };
  const auto figure = StoiOf(row(original), row(decoded), kRate, false);
  EXPECT_TRUE(figure.ok());
  return figure.ok() ? *figure : 0;
}

TEST(PerceptualLosses, AreNothingForTheSameSound) {
  const PerceptualLosses losses(kRate, torch::kCPU);
  const auto sound = Syllables(2, 1);
  const auto terms = losses.Compare(sound, sound);
  EXPECT_NEAR(terms.unintelligible.item<double>(), 0, 1e-4);
  EXPECT_NEAR(terms.disturbance.item<double>(), 0, 1e-3);
}

TEST(PerceptualLosses, RiseWithNoise) {
  const PerceptualLosses losses(kRate, torch::kCPU);
  const auto sound = Syllables(2, 1);
  double disturbance = 0, unintelligible = 0;
  for (const double decibels : {30, 20, 10, 0, -10}) {
    const auto terms = losses.Compare(Noisy(sound, decibels), sound);
    EXPECT_GT(terms.disturbance.item<double>(), disturbance) << decibels;
    EXPECT_GT(terms.unintelligible.item<double>(), unintelligible) << decibels;
    disturbance = terms.disturbance.item<double>();
    unintelligible = terms.unintelligible.item<double>();
  }
  EXPECT_GT(disturbance, 2);
  EXPECT_LT(disturbance, 6) << "in points of opinion, of which there are four";
}

TEST(PerceptualLosses, AddedSoundDisturbsMoreThanMissing) {
  const PerceptualLosses losses(kRate, torch::kCPU);
  const auto sound = Syllables(2, 1);
  EXPECT_GT(losses.Compare(sound * 3, sound).disturbance.item<double>(),
            losses.Compare(sound / 3, sound).disturbance.item<double>());
}

TEST(PerceptualLosses, AgreeWithStoi) {
  const PerceptualLosses losses(kRate, torch::kCPU);
  const auto sound = Syllables(1, 3);
  for (const double decibels : {20, 10, 5, 0}) {
    const auto noisy = Noisy(sound, decibels);
    EXPECT_NEAR(1 - losses.Compare(noisy, sound).unintelligible.item<double>(), Stoi(sound[0], noisy[0]),
                0.03)
        << decibels;
  }
}

TEST(PerceptualLosses, HaveGradientsOfSilence) {
  const PerceptualLosses losses(kRate, torch::kCPU);
  const auto sound = Syllables(2, 1), silence = torch::zeros_like(sound);
  for (const auto& [decoded, original] : {std::pair{silence, silence},
                                          {sound, silence},
                                          {silence, sound},
                                          {sound, sound},
                                          {sound * 100, sound}}) {
    auto made = decoded.clone().requires_grad_();
    const auto terms = losses.Compare(made, original);
    (terms.disturbance + terms.unintelligible).backward();
    EXPECT_TRUE(torch::isfinite(made.grad()).all().item<bool>());
  }
}

}  // namespace
}  // namespace vqc
