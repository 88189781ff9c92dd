// SPDX-License-Identifier: Apache-2.0
// The autoencoder of VQGAN (Esser et al. 2021, arXiv 2012.09841), which LlamaGen and diffusers' VQModel
// share: residual blocks at halving sizes, attention at some of them and between. Tensors have the names of
// taming-transformers.
#pragma once

#include <vector>

#include "models/nn/config_fields.h"
#include "models/nn/plane_layers.h"

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

// What both sides have at one size.
struct VqganLevel {
  std::vector<ResnetBlock> blocks;
  std::vector<PlaneAttention> attention;  // one after each block, or none
  std::vector<Conv2d> resize;             // one, or none at the last size

  Plane Apply(Plane x, int threads) const;
};
struct VqganMiddle {
  std::vector<ResnetBlock> blocks;  // two
  std::vector<PlaneAttention> attention;

  Plane Apply(Plane x, int threads) const;
};

// [height][width][colours], 3 of them in [-1, 1] or those of patches, sizes that all halvings divide ->
// [height >> halvings][width >> halvings][dim].
class VqganEncoder {
 public:
  static Result<VqganEncoder> Load(const Weights& weights, const VqganConfig& config);
  Plane Apply(const Plane& pixels, int threads) const;

 private:
  VqganEncoder(Conv2d in, GroupNorm norm, Conv2d out, Conv2d project)
      : in_(std::move(in)), out_(std::move(out)), project_(std::move(project)), norm_(std::move(norm)) {}
  Conv2d in_, out_, project_;
  GroupNorm norm_;
  std::vector<VqganLevel> levels_;
  VqganMiddle middle_;
};

// Back, not clamped.
class VqganDecoder {
 public:
  static Result<VqganDecoder> Load(const Weights& weights, const VqganConfig& config);
  Plane Apply(const Plane& codewords, int threads) const;

 private:
  VqganDecoder(Conv2d project, Conv2d in, GroupNorm norm, Conv2d out)
      : project_(std::move(project)), in_(std::move(in)), out_(std::move(out)), norm_(std::move(norm)) {}
  Conv2d project_, in_, out_;
  GroupNorm norm_;
  std::vector<VqganLevel> levels_;  // the coarsest first
  VqganMiddle middle_;
};

}  // namespace vqc::nn
