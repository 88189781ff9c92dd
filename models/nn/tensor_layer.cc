// SPDX-License-Identifier: Apache-2.0
#include "models/nn/tensor_layer.h"

#include <torch/torch.h>

#include <algorithm>
#include <stdexcept>

namespace vqc::nn {
namespace {

bool AllTensors(const StreamLayer& layer) {
  if (const auto* chain = dynamic_cast<const Chain*>(&layer)) {
    const auto& layers = chain->Layers();
    return std::all_of(layers.begin(), layers.end(), [](const LayerPtr& each) { return AllTensors(*each); });
  }
  if (const auto* both = dynamic_cast<const Residual*>(&layer))
    return AllTensors(both->Inner()) && (!both->Shortcut() || AllTensors(*both->Shortcut()));
  if (const auto* pieces = dynamic_cast<const InPieces*>(&layer)) return AllTensors(pieces->Inner());
  return dynamic_cast<const TensorLayer*>(&layer) != nullptr;
}

}  // namespace

std::vector<float> TensorLayer::Push(State*, std::vector<float>, bool) const {
  throw std::logic_error("a layer of tensors takes whole sounds");
}

Result<TensorNetwork> TensorNetwork::Of(const StreamLayer& network, const TensorPlace& place) {
  if (AllTensors(network)) return TensorNetwork(network, place);
  return Error{ErrorCode::kUsage,
               "this network runs piece by piece on the CPU alone; leave out --device and --reference"};
}

at::Tensor TensorNetwork::Run(at::Tensor x) const {
  return Settle(place_, Through(*network_, {std::move(x)}));
}

Flow TensorNetwork::Through(const StreamLayer& layer, Flow flow) const {
  if (const auto* tensors = dynamic_cast<const TensorLayer*>(&layer))
    return tensors->Forward(std::move(flow));
  if (const auto* chain = dynamic_cast<const Chain*>(&layer)) {
    for (const LayerPtr& each : chain->Layers()) flow = Through(*each, std::move(flow));
    return flow;
  }
  if (const auto* both = dynamic_cast<const Residual*>(&layer)) return ThroughBoth(*both, std::move(flow));
  return Through(dynamic_cast<const InPieces&>(layer).Inner(), std::move(flow));
}

Flow TensorNetwork::ThroughBoth(const Residual& residual, Flow flow) const {
  const auto simple = [&](Flow side) {
    return side.skip.defined() || side.activation ? Flow{Settle(place_, std::move(side))} : side;
  };
  // A bias alone is added on both ways.
  if (flow.skip.defined() || flow.activation) flow = {Settle(place_, std::move(flow))};
  Flow sum = simple(Through(residual.Inner(), flow));
  const Flow other = residual.Shortcut() ? simple(Through(*residual.Shortcut(), flow)) : flow;
  sum.skip = other.x;
  sum.bias = Sum(sum.bias, other.bias);
  return sum;
}

}  // namespace vqc::nn
