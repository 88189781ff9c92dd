// SPDX-License-Identifier: Apache-2.0
#include "training/audio_discriminators.h"

#include <torch/torch.h>

#include <string>
#include <utility>

namespace vqc {
namespace {

constexpr int64_t kWindows[] = {2048, 1024, 512}, kPeriods[] = {2, 5, 11};
constexpr int64_t kBins = 4;  // that a spectral discriminator takes as one place, of 2 * kBins channels
constexpr int64_t kSpectralWidths[] = {32, 64, 64}, kPeriodWidths[] = {16, 64, 192, 256};
constexpr double kSlope = 0.1;

torch::nn::Conv2d Conv(int64_t in, int64_t out, torch::ExpandingArray<2> kernel,
                       torch::ExpandingArray<2> stride) {
  const auto& k = *kernel;
  return torch::nn::Conv2d(
      torch::nn::Conv2dOptions(in, out, kernel).stride(stride).padding({k[0] / 2, k[1] / 2}));
}

}  // namespace

AudioDiscriminatorsImpl::AudioDiscriminatorsImpl() {
  for (const int64_t window : kWindows) {
    Net net;
    net.window = window;
    net.hann = register_buffer("hann" + std::to_string(window), torch::hann_window(window));
    int64_t in = 2 * kBins;
    for (const int64_t out : kSpectralWidths) {
      net.layers.push_back(Conv(in, out, {3, 5}, {1, in == 2 * kBins ? 1 : 2}));
      in = out;
    }
    net.layers.push_back(Conv(in, in, {3, 3}, {1, 1}));
    net.layers.push_back(Conv(in, 1, {3, 3}, {1, 1}));
    Add(std::move(net));
  }
  for (const int64_t period : kPeriods) {
    Net net;
    net.period = period;
    int64_t in = 1;
    for (const int64_t out : kPeriodWidths) {
      net.layers.push_back(Conv(in, out, {5, 1}, {3, 1}));
      in = out;
    }
    net.layers.push_back(Conv(in, in, {5, 1}, {1, 1}));
    net.layers.push_back(Conv(in, 1, {3, 1}, {1, 1}));
    Add(std::move(net));
  }
}

void AudioDiscriminatorsImpl::Add(Net net) {
  const std::string name =
      net.window > 0 ? "spectral" + std::to_string(net.window) : "period" + std::to_string(net.period);
  for (size_t i = 0; i < net.layers.size(); ++i) {
    register_module(name + "_" + std::to_string(i), net.layers[i]);
  }
  nets_.push_back(std::move(net));
}

std::vector<std::vector<torch::Tensor>> AudioDiscriminatorsImpl::forward(const torch::Tensor& samples) {
  const auto type = nets_.front().layers.front()->weight.scalar_type();
  std::vector<std::vector<torch::Tensor>> all;
  for (Net& net : nets_) {
    torch::Tensor x;
    if (net.window > 0) {
      const auto spectrum = torch::stft(samples, net.window, net.window / 4, net.window,
                                        net.hann.to(torch::kFloat32), true, "constant", true, true, true);
      // [B, bins, T, 2] without the last bin -> [B, 2 * kBins, T, bins / kBins]
      const auto bins = torch::view_as_real(spectrum * 8).slice(1, 0, net.window / 2);
      x = bins.reshape({bins.size(0), -1, kBins, bins.size(2), 2})
              .permute({0, 2, 4, 3, 1})
              .reshape({bins.size(0), 2 * kBins, bins.size(2), -1});
    } else {
      const int64_t rest = (net.period - samples.size(1) % net.period) % net.period;
      x = at::constant_pad_nd(samples * 4, {0, rest}).reshape({samples.size(0), 1, -1, net.period});
    }
    x = x.to(type).contiguous(at::MemoryFormat::ChannelsLast);
    std::vector<torch::Tensor> layers;
    for (size_t i = 0; i < net.layers.size(); ++i) {
      x = net.layers[i]->forward(x);
      if (i + 1 < net.layers.size()) x = torch::leaky_relu(x, kSlope);
      layers.push_back(x);
    }
    all.push_back(std::move(layers));
  }
  return all;
}

JudgeTerms CompareLayers(const std::vector<std::vector<torch::Tensor>>& layers) {
  constexpr double kSmooth = 1e-3;  // L1 is round below: one kernel a layer that way, and one of its gradient
  std::vector<torch::Tensor> judged, adversarial, distances, sizes;
  for (const auto& net : layers) {
    const auto scores = net.back().to(torch::kFloat32);
    const auto targets = torch::ones_like(scores);
    const int64_t count = scores.size(0) / 2;
    targets.slice(0, count).zero_();
    judged.push_back(torch::mse_loss(scores, targets));
    adversarial.push_back(torch::mse_loss(scores.slice(0, count), targets.slice(0, 0, count)));
    for (size_t i = 0; i + 1 < net.size(); ++i) {
      const auto halves = net[i].chunk(2);
      const auto real = halves[0].detach();
      distances.push_back(torch::smooth_l1_loss(halves[1], real, torch::Reduction::Mean, kSmooth));
      sizes.push_back(at::linalg_vector_norm(real, 1, std::nullopt, false, torch::kFloat32) /
                      static_cast<double>(real.numel()));
    }
  }
  return {2 * torch::stack(judged).mean(), torch::stack(adversarial).mean(),
          (torch::stack(distances).to(torch::kFloat32) / (torch::stack(sizes) + 1e-4)).mean()};
}

}  // namespace vqc
