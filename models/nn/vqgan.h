// SPDX-License-Identifier: Apache-2.0
// The autoencoder of VQGAN (Esser et al. 2021, arXiv 2012.09841), which LlamaGen and diffusers' VQModel
// share: residual blocks at halving sizes, attention at some of them and between. Tensors have the names of
// taming-transformers.
#pragma once

#include <vector>

#include "models/nn/config_fields.h"
#include "models/nn/plane_network.h"

namespace vqc::nn {

struct VqganConfig {
  std::vector<int> widths = {128, 128, 256, 256, 512};  // channels at each size, the picture's first
  std::vector<int> attention = {0, 0, 0, 0, 1};         // whether blocks at that size are followed by it
  bool middle_attention = true;
  int blocks = 2;                // at each size of the encoder; the decoder has one more
  int latents = 256, dim = 256;  // channels of the encoder's last layer, of codewords
  int groups = 32;
  // Cosmos' networks see a picture whose patches are channels, and may stay at a size.
  int patch = 1;              // rows and columns of a patch
  int stem = widths.front();  // channels of the encoder's first layer
  int halvings = 4;  // of the size: after each of the encoder's first sizes, before its last ones back

  size_t Levels() const { return widths.size(); }
  size_t Colours() const { return 3 * static_cast<size_t>(patch) * static_cast<size_t>(patch); }
  int Stride() const { return patch << halvings; }
  static VqganConfig Read(ConfigFields& fields);
  static VqganConfig ReadPatched(ConfigFields& fields);
};

// [height][width][3] in [-1, 1], multiples of the stride -> [height / stride][width / stride][dim].
Result<PlaneNetwork> LoadVqganEncoder(const Weights& weights, const VqganConfig& config);
// Back, not clamped.
Result<PlaneNetwork> LoadVqganDecoder(const Weights& weights, const VqganConfig& config);

}  // namespace vqc::nn
