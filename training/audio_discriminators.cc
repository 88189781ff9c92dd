// SPDX-License-Identifier: Apache-2.0
#include "training/audio_discriminators.h"

#include <torch/torch.h>

#include <string>
#include <utility>

namespace vqc {
namespace {

constexpr int64_t kWindows[] = {2048, 1024, 512}, kPeriods[] = {2, 3, 5, 7, 11};
constexpr int64_t kSpectralWidth = 32, kPeriodWidths[] = {16, 64, 192, 256};
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
    net.layers.push_back(Conv(2, kSpectralWidth, {3, 9}, {1, 1}));
    for (int i = 0; i < 3; ++i) net.layers.push_back(Conv(kSpectralWidth, kSpectralWidth, {3, 9}, {1, 2}));
    net.layers.push_back(Conv(kSpectralWidth, kSpectralWidth, {3, 3}, {1, 1}));
    net.layers.push_back(Conv(kSpectralWidth, 1, {3, 3}, {1, 1}));
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
      x = torch::view_as_real(spectrum * 8).permute({0, 3, 2, 1});  // [B, 2, T, F]
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

torch::Tensor DiscriminatorLoss(const std::vector<std::vector<torch::Tensor>>& original,
                                const std::vector<std::vector<torch::Tensor>>& decoded) {
  torch::Tensor sum = torch::zeros({}, original.front().front().options().dtype(torch::kFloat32));
  for (size_t i = 0; i < original.size(); ++i) {
    const auto real = original[i].back().to(torch::kFloat32), fake = decoded[i].back().to(torch::kFloat32);
    sum = sum + (1 - real).square().mean() + fake.square().mean();
  }
  return sum / static_cast<double>(original.size());
}

GeneratorTerms GeneratorLoss(const std::vector<std::vector<torch::Tensor>>& original,
                             const std::vector<std::vector<torch::Tensor>>& decoded) {
  const auto options = original.front().front().options().dtype(torch::kFloat32);
  GeneratorTerms terms{torch::zeros({}, options), torch::zeros({}, options)};
  for (size_t i = 0; i < original.size(); ++i) {
    terms.adversarial = terms.adversarial + (1 - decoded[i].back().to(torch::kFloat32)).square().mean();
    for (size_t j = 0; j + 1 < original[i].size(); ++j) {
      const auto real = original[i][j].detach();
      const auto size = real.abs().mean(torch::kFloat32) + 1e-4;
      terms.features = terms.features + (decoded[i][j] - real).abs().mean(torch::kFloat32) / size /
                                            static_cast<double>(original[i].size() - 1);
    }
  }
  const auto count = static_cast<double>(original.size());
  return {terms.adversarial / count, terms.features / count};
}

}  // namespace vqc
