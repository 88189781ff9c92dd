// SPDX-License-Identifier: Apache-2.0
// The networks of audio tokenizers, for training. Inference computes the same with the layers of
// audio_layers.h, whose results do not depend on how sound is cut.
#pragma once

#include <torch/nn.h>

#include "models/audio_config.h"

namespace vqc {

// ConvNeXt block (Liu et al. 2022, arXiv 2201.03545) over [B, T, C]: depthwise convolution of `kernel`
// frames, layer norm, two linear layers with SiLU between, a scale for each channel, and the input added.
class FrameBlockImpl : public torch::nn::Module {
 public:
  FrameBlockImpl(int64_t width, int64_t expand, int64_t kernel, int64_t ahead, double scale);
  torch::Tensor forward(const torch::Tensor& x);

 private:
  int64_t width_, kernel_, ahead_;
  torch::Tensor kernel_weight_, kernel_bias_;  // [C, 1, K], [C]
  torch::Tensor norm_weight_, norm_bias_, scale_;
  torch::nn::Linear widen_, narrow_;
};
TORCH_MODULE(FrameBlock);

// Samples [B, T * stride] in [-1, 1] -> latents [B, dim, T].
class AudioEncoderImpl : public torch::nn::Module {
 public:
  AudioEncoderImpl(const AudioNetworkConfig& config, int64_t dim);
  torch::Tensor forward(const torch::Tensor& samples);
  // Weights to begin with by which the first latents are real and imaginary parts of low bins, so that
  // training starts with phases that are roughly right instead of having to discover them. Nothing where fold
  // is above 1.
  void CarryPhases();

 private:
  AudioNetworkConfig config_;
  torch::Tensor window_;
  torch::nn::Linear in_{nullptr}, fold_{nullptr}, out_{nullptr};
  torch::nn::ModuleList frames_, tokens_;
  torch::Tensor norm_weight_, norm_bias_;
};
TORCH_MODULE(AudioEncoder);

// Quantized latents [B, dim, T] -> samples [B, T * stride], not clamped. The head gives log magnitude and
// direction of each bin, whose angle is the phase (after Siuzdak 2023, arXiv 2306.00814); windows are added up.
class AudioDecoderImpl : public torch::nn::Module {
 public:
  AudioDecoderImpl(const AudioNetworkConfig& config, int64_t dim);
  torch::Tensor forward(const torch::Tensor& latents);
  void CarryPhases();  // the counterpart: directions of bins are those of the nearest bin that is carried

 private:
  AudioNetworkConfig config_;
  torch::Tensor window_;
  torch::nn::Linear in_{nullptr}, unfold_{nullptr}, head_{nullptr};
  torch::nn::ModuleList frames_, tokens_;
  torch::Tensor norm_weight_, norm_bias_;
};
TORCH_MODULE(AudioDecoder);

}  // namespace vqc
