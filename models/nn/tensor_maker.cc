// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "models/nn/layer_maker.h"
#include "models/nn/tensor_attention.h"
#include "models/nn/tensor_convs.h"
#include "models/nn/tensor_planes.h"
#include "models/nn/tensor_vocos.h"

namespace vqc::nn {
namespace {

class TensorMaker : public LayerMaker {
 public:
  explicit TensorMaker(const TensorPlace& place) : place_(place), planes_(MakeTensorPlanes(place)) {}

  Result<LayerPtr> Conv(const Weights& weights, const std::string& name,
                        const ConvShape& shape) const override {
    return LoadTensorConv(place_, weights, name, shape);
  }
  Result<LayerPtr> TransposedConv(const Weights& weights, const std::string& name,
                                  const TransposedConvShape& shape) const override {
    return LoadTensorTransposedConv(place_, weights, name, shape);
  }
  LayerPtr Elu() const override { return MakeTensorActivation(place_, {ActivationKind::kElu, {}, {}}); }
  LayerPtr Tanh() const override { return MakeTensorActivation(place_, {ActivationKind::kTanh, {}, {}}); }
  Result<LayerPtr> Snake(const Weights& weights, const std::string& name, size_t channels) const override {
    return LoadTensorSnake(place_, weights, name, channels);
  }
  Result<LayerPtr> Lstm(const Weights& weights, const std::string& name, size_t width,
                        size_t layers) const override {
    return LoadTensorLstm(place_, weights, name, width, layers);
  }
  Result<LayerPtr> Transformer(const Weights& weights, const std::string& name,
                               const TransformerConfig& config) const override {
    return LoadTensorTransformer(place_, weights, name, config);
  }
  Result<LayerPtr> WindowAttention(const Weights& weights, const std::string& name, size_t width,
                                   size_t window) const override {
    return LoadTensorWindowAttention(place_, weights, name, width, window);
  }
  LayerPtr Norm(const audio::NormWeights& norm) const override { return MakeTensorNorm(place_, norm); }
  Result<LayerPtr> SoundContext(const Weights& weights, const std::string& name, size_t width,
                                size_t groups) const override {
    return LoadTensorContext(place_, weights, name, width, groups);
  }
  Result<LayerPtr> PointConvs(const Weights& weights, const std::string& name, const audio::NormWeights& norm,
                              size_t inner) const override {
    return LoadTensorPointConvs(place_, weights, name, norm, inner);
  }
  Result<LayerPtr> IstftHead(const Weights& weights, const std::string& name, size_t width, size_t length,
                             size_t hop) const override {
    return LoadTensorIstftHead(place_, weights, name, width, length, hop);
  }
  const PlaneMaker& Planes() const override { return *planes_; }

 private:
  TensorPlace place_;
  std::unique_ptr<const PlaneMaker> planes_;
};

}  // namespace

std::shared_ptr<const LayerMaker> MakeTensorMaker(const TensorPlace& place) {
  return std::make_shared<TensorMaker>(place);
}

}  // namespace vqc::nn
