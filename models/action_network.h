// SPDX-License-Identifier: Apache-2.0
// Encoder and decoder networks of action chunks: a convolutional pyramid (VQ-VLA, Wang et al. 2025) or a
// plain MLP (VQ-BeT, Lee et al. 2024).
//
// A chunk is [B, T, A] of values in [-1, 1] with a mask [B, T, A] of ones where there is a value; what the
// mask hides is 0. The pyramid sees three planes of T x A: the values without the gripper, the gripper's
// course in every column (so that it is near all others), and the mask. Stages of half the size follow until
// one position is left, for any T and A; the decoder mirrors them. A linear map beside the pyramid carries
// what is linear.
#pragma once

#include <torch/nn.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "base/result.h"

namespace vqc {

struct ActionShape {
  int64_t chunk = 10, dims = 7, gripper = -1;  // T, A, the gripper's column or -1

  int64_t Values() const { return chunk * dims; }
};

struct ActionNetworkConfig {
  bool pyramid = true;  // "type": "pyramid", or "mlp"
  std::vector<int64_t> widths = {24, 48, 96,
                                 128};      // of the stages (the last one for all that follow) or layers
  int64_t blocks = 1;                       // of a stage
  int64_t hidden = 384, hidden_blocks = 2;  // of the blocks at the one position that is left
};

// {"type": "pyramid", "widths": [...], "blocks": 1, "hidden": 384, "hidden_blocks": 2}
Result<ActionNetworkConfig> ParseActionNetwork(const nlohmann::json& config);
nlohmann::json ToJson(const ActionNetworkConfig& config);

// Values and mask [B, T, A] -> latents [B, dim, 1, 1].
class ActionEncoderImpl : public torch::nn::Module {
 public:
  ActionEncoderImpl(const ActionNetworkConfig& config, const ActionShape& shape, int64_t dim);
  torch::Tensor forward(const torch::Tensor& values, const torch::Tensor& mask);

 private:
  friend class ActionDecoderImpl;
  ActionShape shape_;
  torch::nn::Sequential stem_{nullptr}, body_{nullptr}, head_{nullptr};
  torch::nn::Linear direct_{nullptr};
};
TORCH_MODULE(ActionEncoder);

// Quantized latents [B, dim, 1, 1] -> values [B, T, A], not clamped.
class ActionDecoderImpl : public torch::nn::Module {
 public:
  ActionDecoderImpl(const ActionNetworkConfig& config, const ActionShape& shape, int64_t dim);
  torch::Tensor forward(const torch::Tensor& quantized);
  // Before training: makes the linear map the transpose of the encoder's.
  void TieDirect(const ActionEncoderImpl& encoder);

 private:
  ActionShape shape_;
  torch::nn::Sequential head_{nullptr}, body_{nullptr};
  torch::nn::Linear direct_{nullptr};
};
TORCH_MODULE(ActionDecoder);

}  // namespace vqc
