// SPDX-License-Identifier: Apache-2.0
#include "models/nn/plane_network.h"

#include "models/nn/layer_maker.h"

namespace vqc::nn {
namespace {

template <class Function>
class OwnLayer : public PlaneLayer {
 public:
  explicit OwnLayer(Function function) : function_(std::move(function)) {}
  Plane Apply(Plane x, const Plane& input, int threads) const override {
    return function_(std::move(x), input, threads);
  }

 private:
  Function function_;
};

// A layer of `function`, which is called as Apply() is.
template <class Function>
PlaneLayerPtr Layer(Function function) {
  return std::make_unique<OwnLayer<Function>>(std::move(function));
}

class OwnMaker : public PlaneMaker {
 public:
  Result<PlaneLayerPtr> Conv(const Weights& weights, const std::string& name, size_t in, size_t out,
                             size_t kernel, const ConvOptions& options) const override {
    VQC_ASSIGN(auto conv, Conv2d::Load(weights, name, in, out, kernel, options));
    return Layer([conv = std::move(conv)](const Plane& x, const Plane&, int threads) {
      return conv.Apply({x}, threads);
    });
  }
  Result<PlaneLayerPtr> Norm(const Weights& weights, const std::string& name, size_t channels,
                             size_t groups) const override {
    VQC_ASSIGN(auto norm, GroupNorm::Load(weights, name, channels, groups));
    return Layer([norm = std::move(norm)](Plane x, const Plane&, int threads) {
      return norm.Apply(std::move(x), true, threads);
    });
  }
  Result<PlaneLayerPtr> AdaptiveNorm(const Weights& weights, const std::string& name, size_t style,
                                     size_t channels, size_t groups) const override {
    VQC_ASSIGN(auto norm, AdaptiveGroupNorm::Load(weights, name, style, channels, groups));
    return Layer([norm = std::move(norm)](Plane x, const Plane& input, int threads) {
      return norm.Apply(std::move(x), input, threads);
    });
  }
  Result<PlaneLayerPtr> Block(const Weights& weights, const std::string& name, size_t in, size_t out,
                              size_t groups, const ConvOptions& options) const override {
    VQC_ASSIGN(auto block, ResnetBlock::Load(weights, name, in, out, groups, options));
    return Layer([block = std::move(block)](Plane x, const Plane&, int threads) {
      return block.Apply(std::move(x), threads);
    });
  }
  Result<PlaneLayerPtr> Attention(const Weights& weights, const std::string& name, size_t channels,
                                  size_t groups) const override {
    VQC_ASSIGN(auto attention, PlaneAttention::Load(weights, name, channels, groups));
    return Layer([attention = std::move(attention)](Plane x, const Plane&, int threads) {
      return attention.Apply(std::move(x), threads);
    });
  }
  PlaneLayerPtr Move(PlaneMove move) const override {
    auto* function = move == PlaneMove::kDouble      ? &Double
                     : move == PlaneMove::kSpread    ? &Spread
                     : move == PlaneMove::kHaarSplit ? &HaarSplit
                                                     : &HaarJoin;
    return Layer([function](const Plane& x, const Plane&, int) { return function(x); });
  }
};

}  // namespace

Status PlaneNetwork::Add(Result<PlaneLayerPtr> layer) {
  VQC_ASSIGN(PlaneLayerPtr loaded, std::move(layer));
  layers_.push_back(std::move(loaded));
  return {};
}

Plane PlaneNetwork::Apply(const Plane& input, int threads) const {
  Plane x = input;
  for (const PlaneLayerPtr& layer : layers_) x = layer->Apply(std::move(x), input, threads);
  return x;
}

const PlaneMaker& PlanesOf(const Weights& weights) {
  static const OwnMaker own;
  return weights.Maker() ? weights.Maker()->Planes() : own;
}

}  // namespace vqc::nn
