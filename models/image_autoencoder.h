// SPDX-License-Identifier: Apache-2.0
// The encoder and decoder of the image tokenizers: a 4 x 4 pixel-unshuffle front end, then residual stages at
// strides 4, 8, 16, ...; the decoder mirrors it. Convolutions never run at full resolution.
#pragma once

#include <torch/nn.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/result.h"

namespace vqc {

struct ImageNetworkConfig {
  static constexpr int kFront = 4;  // pixels per side of a front-end cell
  // One entry per stage. Encoder: from stride 4 to the token stride. Decoder: from the token stride to 4.
  std::vector<int64_t> encoder_widths = {64, 128, 192}, encoder_blocks = {2, 3, 3};
  std::vector<int64_t> decoder_widths = {256, 192, 128}, decoder_blocks = {4, 4, 3};

  int Stride() const { return kFront << (encoder_widths.size() - 1); }
  // Pixels beyond its own cell that a token of the encoder, or that a decoded pixel, depends on along an
  // axis.
  int EncoderReach() const;
  int DecoderReach() const;
};

// {"encoder": {"widths": [...], "blocks": [...]}, "decoder": {...}}
Result<ImageNetworkConfig> ParseImageNetwork(const nlohmann::json& config);
nlohmann::json ToJson(const ImageNetworkConfig& config);

// Images [B, 3, H, W] in [-1, 1], H and W multiples of the stride -> latents [B, dim, H/stride, W/stride].
class ImageEncoderImpl : public torch::nn::Module {
 public:
  ImageEncoderImpl(const ImageNetworkConfig& config, int64_t dim);
  torch::Tensor forward(const torch::Tensor& images);

 private:
  torch::nn::Sequential body_;
};
TORCH_MODULE(ImageEncoder);

// Quantized latents [B, dim, h, w] -> images [B, 3, h * stride, w * stride], not clamped.
class ImageDecoderImpl : public torch::nn::Module {
 public:
  ImageDecoderImpl(const ImageNetworkConfig& config, int64_t dim);
  torch::Tensor forward(const torch::Tensor& quantized);

 private:
  torch::nn::Sequential body_;
};
TORCH_MODULE(ImageDecoder);

}  // namespace vqc
