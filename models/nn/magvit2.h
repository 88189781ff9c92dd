// SPDX-License-Identifier: Apache-2.0
// The autoencoder of Open-MAGVIT2 (Luo et al. 2024, arXiv 2409.04410): residual blocks at halving sizes, no
// attention; the decoder's norms follow from the codewords of the whole picture. Tensors have the names of
// SEED-Voken.
#pragma once

#include <utility>
#include <vector>

#include "models/nn/config_fields.h"
#include "models/nn/plane_layers.h"

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
class Magvit2Encoder {
 public:
  static Result<Magvit2Encoder> Load(const Weights& weights, const Magvit2Config& config);
  Plane Apply(const Plane& pixels, int threads) const;

 private:
  struct Level {
    std::vector<ResnetBlock> blocks;
    std::vector<Conv2d> down;  // one, or none at the last size
  };
  Magvit2Encoder(Conv2d in, GroupNorm norm, Conv2d out)
      : in_(std::move(in)), out_(std::move(out)), norm_(std::move(norm)) {}
  Conv2d in_, out_;
  GroupNorm norm_;
  std::vector<Level> levels_;
  std::vector<ResnetBlock> middle_;
};

// Back, not clamped.
class Magvit2Decoder {
 public:
  static Result<Magvit2Decoder> Load(const Weights& weights, const Magvit2Config& config);
  Plane Apply(const Plane& codewords, int threads) const;

 private:
  struct Level {
    AdaptiveGroupNorm norm;
    std::vector<ResnetBlock> blocks;
    std::vector<Conv2d> up;  // one, or none at the picture's size
  };
  Magvit2Decoder(Conv2d in, GroupNorm norm, Conv2d out)
      : in_(std::move(in)), out_(std::move(out)), norm_(std::move(norm)) {}
  Conv2d in_, out_;
  GroupNorm norm_;
  std::vector<Level> levels_;  // the coarsest first
  std::vector<ResnetBlock> middle_;
};

}  // namespace vqc::nn
