// SPDX-License-Identifier: Apache-2.0
#include "models/audio_network.h"

#include <torch/torch.h>

#include <algorithm>
#include <string>

#include "base/kernels/kernels.h"

namespace vqc {
namespace {

torch::Tensor Norm(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias) {
  return torch::layer_norm(x, {x.size(-1)}, weight, bias, audio::kNormEpsilon);
}

// Blocks at the frame rate and at the token rate; scales start so that their sum stays about one.
void AddBlocks(torch::nn::ModuleList& list, const AudioNetworkConfig& config,
               const AudioNetworkConfig::Side& side, bool tokens) {
  const int count = tokens ? side.token_blocks : side.blocks;
  const int width = tokens ? config.TokenWidth(side) : side.width;
  const double scale = 1.0 / (side.blocks + side.token_blocks);
  for (int i = 0; i < count; ++i) {
    list->push_back(FrameBlock(width, side.expand, config.kernel, side.ahead, scale));
  }
}

torch::Tensor Run(const torch::nn::ModuleList& list, torch::Tensor x) {
  for (const auto& block : *list) x = block->as<FrameBlock>()->forward(x);
  return x;
}

// Bins whose phases latents carry to begin with: every third, as many as independent frames of three hops
// have, and in half of the latents at most.
int64_t CarriedBins(const AudioNetworkConfig& config, int64_t dim) {
  if (config.fold > 1) return 0;
  return std::min<int64_t>(
      {dim / 4, (config.phase_bins - 1) / 3, config.encoder.width / 2, config.decoder.width / 2});
}
int64_t CarriedBin(int64_t index) { return 3 * (index + 1); }

// The first `count` outputs become the inputs that `of` names.
template <class Of>
void PassOn(torch::nn::Linear& layer, int64_t count, Of&& of) {
  layer->weight.slice(0, 0, count).zero_();
  layer->bias.slice(0, 0, count).zero_();
  for (int64_t i = 0; i < count; ++i) layer->weight[i][of(i)] = 1;
}

}  // namespace

FrameBlockImpl::FrameBlockImpl(int64_t width, int64_t expand, int64_t kernel, int64_t ahead, double scale)
    : width_(width),
      kernel_(kernel),
      ahead_(ahead),
      widen_(width, width * expand),
      narrow_(width * expand, width) {
  kernel_weight_ = register_parameter("kernel_weight", torch::randn({width, 1, kernel}) / kernel);
  kernel_bias_ = register_parameter("kernel_bias", torch::zeros({width}));
  norm_weight_ = register_parameter("norm_weight", torch::ones({width}));
  norm_bias_ = register_parameter("norm_bias", torch::zeros({width}));
  scale_ = register_parameter("scale", torch::full({width}, scale));
  register_module("widen", widen_);
  register_module("narrow", narrow_);
}

torch::Tensor FrameBlockImpl::forward(const torch::Tensor& x) {
  const auto padded = at::constant_pad_nd(x.transpose(1, 2), {kernel_ - 1 - ahead_, ahead_});
  const auto seen = torch::conv1d(padded, kernel_weight_, kernel_bias_, at::IntArrayRef{1},
                                  at::IntArrayRef{0}, at::IntArrayRef{1}, width_)
                        .transpose(1, 2);
  const auto hidden = torch::silu(widen_->forward(Norm(seen, norm_weight_, norm_bias_)));
  return torch::addcmul(x, narrow_->forward(hidden), scale_);
}

AudioEncoderImpl::AudioEncoderImpl(const AudioNetworkConfig& config, int64_t dim) : config_(config) {
  window_ = register_buffer("window", torch::hann_window(config.Window()));
  const int64_t width = config.encoder.width,
                last = config.fold > 1 ? config.TokenWidth(config.encoder) : width;
  in_ = register_module("in", torch::nn::Linear(config.Features(), width));
  AddBlocks(frames_, config, config.encoder, false);
  register_module("frames", frames_);
  if (config.fold > 1) fold_ = register_module("fold", torch::nn::Linear(config.fold * width, last));
  AddBlocks(tokens_, config, config.encoder, true);
  register_module("tokens", tokens_);
  norm_weight_ = register_parameter("norm_weight", torch::ones({last}));
  norm_bias_ = register_parameter("norm_bias", torch::zeros({last}));
  out_ = register_module("out", torch::nn::Linear(last, dim));
}

torch::Tensor AudioEncoderImpl::forward(const torch::Tensor& samples) {
  const int64_t hop = config_.hop;
  const auto frames = at::constant_pad_nd(samples, {hop, hop}).unfold(1, 3 * hop, hop) * window_;
  const auto bins = torch::view_as_real(torch::fft_rfft(frames));  // [B, T, bins, 2]
  const auto level = torch::log(bins.square().sum(-1) + audio::kPowerFloor);
  const auto low = bins.slice(2, 0, config_.phase_bins) *
                   torch::exp(level.slice(2, 0, config_.phase_bins) * audio::kCompression).unsqueeze(-1);
  auto x = in_->forward(torch::cat({level * 0.5, low.select(3, 0), low.select(3, 1)}, -1));
  x = Run(frames_, x);
  if (config_.fold > 1) {
    x = fold_->forward(x.reshape({x.size(0), x.size(1) / config_.fold, config_.fold * x.size(2)}));
  }
  x = Run(tokens_, x);
  return out_->forward(Norm(x, norm_weight_, norm_bias_)).transpose(1, 2);
}

void AudioEncoderImpl::CarryPhases() {
  const torch::NoGradGuard no_grad;
  const int64_t count = 2 * CarriedBins(config_, out_->options.out_features());
  const int64_t real = config_.Bins(), imaginary = real + config_.phase_bins;
  PassOn(in_, count, [&](int64_t i) { return (i % 2 == 0 ? real : imaginary) + CarriedBin(i / 2); });
  PassOn(out_, count, [](int64_t i) { return i; });
}

AudioDecoderImpl::AudioDecoderImpl(const AudioNetworkConfig& config, int64_t dim) : config_(config) {
  window_ = register_buffer("window", torch::hann_window(config.Window()) / audio::kOverlap);
  const int64_t width = config.decoder.width,
                first = config.fold > 1 ? config.TokenWidth(config.decoder) : width;
  in_ = register_module("in", torch::nn::Linear(dim, first));
  AddBlocks(tokens_, config, config.decoder, true);
  register_module("tokens", tokens_);
  if (config.fold > 1) unfold_ = register_module("unfold", torch::nn::Linear(first, config.fold * width));
  AddBlocks(frames_, config, config.decoder, false);
  register_module("frames", frames_);
  norm_weight_ = register_parameter("norm_weight", torch::ones({width}));
  norm_bias_ = register_parameter("norm_bias", torch::zeros({width}));
  head_ = register_module("head", torch::nn::Linear(width, 3 * config.Bins()));
}

void AudioDecoderImpl::CarryPhases() {
  constexpr double kOthers = 0.1;
  const torch::NoGradGuard no_grad;
  const int64_t count = 2 * CarriedBins(config_, in_->options.in_features()), bins = config_.Bins();
  if (count == 0) return;
  PassOn(in_, count, [](int64_t i) { return i; });
  head_->weight.slice(0, bins).mul_(kOthers);
  head_->bias.slice(0, bins).mul_(kOthers);
  for (int64_t i = 0; i < count; ++i) {
    // Neighbouring bins of a window turn by half a circle, since phases count from the window's begin.
    for (int64_t shift = -1; shift <= 1; ++shift) {
      head_->weight[(i % 2 + 1) * bins + CarriedBin(i / 2) + shift][i] = shift == 0 ? 1 : -1;
    }
  }
}

torch::Tensor AudioDecoderImpl::forward(const torch::Tensor& latents) {
  auto x = Run(tokens_, in_->forward(latents.transpose(1, 2)));
  if (config_.fold > 1) {
    x = unfold_->forward(x).reshape({x.size(0), x.size(1) * config_.fold, config_.decoder.width});
  }
  x = head_->forward(Norm(Run(frames_, x), norm_weight_, norm_bias_));
  const auto parts = x.chunk(3, -1);
  const auto scale = torch::exp(parts[0].clamp_max(audio::kMaxLogMagnitude)) *
                     torch::rsqrt(parts[1].square() + parts[2].square() + audio::kDirectionFloor);
  const auto spectra = torch::complex(parts[1] * scale, parts[2] * scale);
  const auto frames = torch::fft_irfft(spectra, config_.Window()) * window_;
  // Frame t covers the hops t - 1, t and t + 1.
  const int64_t hop = config_.hop;
  const auto before = frames.slice(2, 0, hop), at = frames.slice(2, hop, 2 * hop),
             after = frames.slice(2, 2 * hop, 3 * hop);
  const auto sum = at + at::constant_pad_nd(before.slice(1, 1), {0, 0, 0, 1}) +
                   at::constant_pad_nd(after.slice(1, 0, -1), {0, 0, 1, 0});
  return sum.reshape({x.size(0), -1});
}

}  // namespace vqc
