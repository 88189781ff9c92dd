// SPDX-License-Identifier: Apache-2.0
// Networks of pictures as layers one after another, and what makes these layers: our own, or those of another
// engine. A network is loaded in one way, whoever runs it. No torch.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "models/nn/plane_layers.h"

namespace vqc::nn {

class PlaneLayer {
 public:
  virtual ~PlaneLayer() = default;
  // `input`: of the network, which some layers look at again.
  virtual Plane Apply(Plane x, const Plane& input, int threads) const = 0;
};
using PlaneLayerPtr = std::unique_ptr<const PlaneLayer>;

class PlaneNetwork {
 public:
  // What a loader gives, behind the others.
  Status Add(Result<PlaneLayerPtr> layer);
  const std::vector<PlaneLayerPtr>& Layers() const { return layers_; }
  Plane Apply(const Plane& input, int threads) const;

 private:
  std::vector<PlaneLayerPtr> layers_;
};

// What changes the size alone.
enum class PlaneMove {
  kDouble,     // each position four times
  kSpread,     // each position as two rows of two positions, which have a quarter of its channels each
  kHaarSplit,  // models/nn/haar.cc
  kHaarJoin,
};

// Each function loads a layer of models/nn/plane_layers.h or plane_norm.h, with their tensors and errors.
class PlaneMaker {
 public:
  virtual ~PlaneMaker() = default;

  virtual Result<PlaneLayerPtr> Conv(const Weights& weights, const std::string& name, size_t in, size_t out,
                                     size_t kernel, const ConvOptions& options = {}) const = 0;
  // A group norm with silu behind it.
  virtual Result<PlaneLayerPtr> Norm(const Weights& weights, const std::string& name, size_t channels,
                                     size_t groups) const = 0;
  // Whose style is the network's input.
  virtual Result<PlaneLayerPtr> AdaptiveNorm(const Weights& weights, const std::string& name, size_t style,
                                             size_t channels, size_t groups) const = 0;
  virtual Result<PlaneLayerPtr> Block(const Weights& weights, const std::string& name, size_t in, size_t out,
                                      size_t groups, const ConvOptions& options = {}) const = 0;
  virtual Result<PlaneLayerPtr> Attention(const Weights& weights, const std::string& name, size_t channels,
                                          size_t groups) const = 0;
  virtual PlaneLayerPtr Move(PlaneMove move) const = 0;
};

// What the weights carry (models/nn/layer_maker.h), or what makes our own layers.
const PlaneMaker& PlanesOf(const Weights& weights);

}  // namespace vqc::nn
