// SPDX-License-Identifier: Apache-2.0
// Layers of another engine in the place of those of models/nn. A network is loaded in one way, whoever runs
// it: where its weights carry a maker, each loader returns the maker's layer instead of its own. No torch.
#pragma once

#include <string>

#include "models/nn/plane_network.h"
#include "models/nn/stream_conv.h"
#include "models/nn/stream_layer.h"
#include "models/nn/stream_transformer.h"

namespace vqc::nn {

// Each function is what the loader of the same name would return, with the same tensors and errors. Chain,
// Residual and InPieces stay as they are; what makes these layers knows how to go through them.
class LayerMaker {
 public:
  virtual ~LayerMaker() = default;

  virtual Result<LayerPtr> Conv(const Weights& weights, const std::string& name,
                                const ConvShape& shape) const = 0;
  virtual Result<LayerPtr> TransposedConv(const Weights& weights, const std::string& name,
                                          const TransposedConvShape& shape) const = 0;
  virtual LayerPtr Elu() const = 0;
  virtual LayerPtr Tanh() const = 0;
  // x + sin(alpha x)^2 / alpha (models/nn/dac.cc).
  virtual Result<LayerPtr> Snake(const Weights& weights, const std::string& name, size_t channels) const = 0;
  virtual Result<LayerPtr> Lstm(const Weights& weights, const std::string& name, size_t width,
                                size_t layers) const = 0;
  virtual Result<LayerPtr> Transformer(const Weights& weights, const std::string& name,
                                       const TransformerConfig& config) const = 0;
  virtual Result<LayerPtr> WindowAttention(const Weights& weights, const std::string& name, size_t width,
                                           size_t window) const = 0;
  // The parts of models/nn/vocos.cc. The context sees the whole of what it is given.
  virtual LayerPtr Norm(const audio::NormWeights& norm) const = 0;
  virtual Result<LayerPtr> SoundContext(const Weights& weights, const std::string& name, size_t width,
                                        size_t groups) const = 0;
  virtual Result<LayerPtr> PointConvs(const Weights& weights, const std::string& name,
                                      const audio::NormWeights& norm, size_t inner) const = 0;
  virtual Result<LayerPtr> IstftHead(const Weights& weights, const std::string& name, size_t width,
                                     size_t length, size_t hop) const = 0;
  virtual const PlaneMaker& Planes() const = 0;  // of networks of pictures
};

}  // namespace vqc::nn
