// SPDX-License-Identifier: Apache-2.0
// Norms over whole pictures. Each sum is made in a fixed order, so results do not depend on the number of
// threads. No torch.
#pragma once

#include <string>
#include <vector>

#include "models/audio_layers.h"
#include "models/nn/plane.h"

namespace vqc::nn {

using audio::Weights;

// Group norm (Wu and He 2018, arXiv 1803.08494) over the whole picture.
class GroupNorm {
 public:
  static Result<GroupNorm> Load(const Weights& weights, const std::string& name, size_t channels,
                                size_t groups);
  // What it does to x, but for the activation behind it.
  ChannelScale Of(const Plane& x, int threads) const;
  Plane Apply(Plane x, bool silu, int threads) const;

 private:
  std::vector<float> weight_, bias_;
  size_t groups_ = 1;
};

// The same with a weight and a bias that follow from another picture: linear functions of the standard
// deviation (of the whole population, but with one less in the denominator) and of the mean of each of its
// channels. Where it has one position alone, the deviation counts as 0.
class AdaptiveGroupNorm {
 public:
  // Tensors NAME.gamma and NAME.beta of linear functions [channels][style].
  static Result<AdaptiveGroupNorm> Load(const Weights& weights, const std::string& name, size_t style,
                                        size_t channels, size_t groups);
  Plane Apply(Plane x, const Plane& style, int threads) const;

 private:
  AdaptiveGroupNorm(audio::Linear gamma, audio::Linear beta, size_t groups)
      : gamma_(std::move(gamma)), beta_(std::move(beta)), groups_(groups) {}
  audio::Linear gamma_, beta_;
  size_t groups_;
};

}  // namespace vqc::nn
