// SPDX-License-Identifier: Apache-2.0
// Layers of models/nn on whole sounds as tensors: what a TensorMaker puts in the place of those that run
// piece by piece, and the way through them.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "models/nn/stream_layer.h"
#include "models/nn/tensor_flow.h"

namespace vqc::nn {

class TensorLayer : public StreamLayer {
 public:
  virtual Flow Forward(Flow flow) const = 0;
  // Not for pieces: throws std::logic_error.
  std::vector<float> Push(State* state, std::vector<float> x, bool last) const final;
};

// A network of such layers.
class TensorNetwork {
 public:
  // kUsage where a layer is none of the maker's: such a network runs piece by piece alone.
  static Result<TensorNetwork> Of(const StreamLayer& network, const TensorPlace& place);

  // [B, in, 1, rows] -> [B, out, 1, rows of the output]. REQUIRES: the network lives
  at::Tensor Run(at::Tensor x) const;

 private:
  TensorNetwork(const StreamLayer& network, TensorPlace place) : network_(&network), place_(place) {}
  Flow Through(const StreamLayer& layer, Flow flow) const;
  Flow ThroughBoth(const Residual& residual, Flow flow) const;

  const StreamLayer* network_;
  TensorPlace place_;
};

}  // namespace vqc::nn
