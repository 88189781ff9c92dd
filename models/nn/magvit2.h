// SPDX-License-Identifier: Apache-2.0
// The autoencoder of Open-MAGVIT2 (Luo et al. 2024, arXiv 2409.04410): residual blocks at halving sizes, no
// attention; the decoder's norms follow from the codewords of the whole picture. Tensors have the names of
// SEED-Voken.
#pragma once

#include <vector>

#include "models/nn/config_fields.h"
#include "models/nn/plane_network.h"

namespace vqc::nn {

struct Magvit2Config {
  int stem = 128;                                       // channels of the encoder's first layer
  std::vector<int> widths = {128, 128, 256, 256, 512};  // channels at each size, the picture's first
  int blocks = 4;                                       // at each size and between the two sides
  int bits = 18;                                        // channels of the codewords
  int groups = 32;

  size_t Levels() const { return widths.size(); }
  int Stride() const { return 1 << (Levels() - 1); }
  static Magvit2Config Read(ConfigFields& fields);
};

// [height][width][3] in [-1, 1], multiples of the stride -> [height / stride][width / stride][bits].
Result<PlaneNetwork> LoadMagvit2Encoder(const Weights& weights, const Magvit2Config& config);
// Back, not clamped.
Result<PlaneNetwork> LoadMagvit2Decoder(const Weights& weights, const Magvit2Config& config);

}  // namespace vqc::nn
