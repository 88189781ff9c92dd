// SPDX-License-Identifier: Apache-2.0
// A transformer over the rows of a stream: each row sees itself and those before it, `window` in all, by the
// rotation of their distance (Su et al. 2021, arXiv 2104.09864).
#pragma once

#include <string>

#include "models/nn/config_fields.h"
#include "models/nn/stream_layer.h"

namespace vqc::nn {

struct TransformerConfig {
  int width = 512, layers = 8, heads = 8, head_dim = 64, hidden = 2048;
  int window = 250;
  double rope_base = 10000;

  static TransformerConfig Read(ConfigFields& fields, int width);
};

// Layers with a norm before attention and before the perceptron, scaled by channel where they are added
// (Touvron et al. 2021, arXiv 2103.17239). Tensors NAME.layers.N.* as transformers names Mimi's.
Result<LayerPtr> LoadTransformer(const Weights& weights, const std::string& name,
                                 const TransformerConfig& config);

}  // namespace vqc::nn
