// SPDX-License-Identifier: Apache-2.0
// Long short-term memory (Hochreiter and Schmidhuber 1997) over the rows of a stream, forward in time.
#pragma once

#include <string>

#include "models/nn/stream_layer.h"

namespace vqc::nn {

// `layers` of them, each as wide as its input. Weights as torch.nn.LSTM names them: NAME.weight_ih_l0
// [4 width][width], NAME.weight_hh_l0, NAME.bias_ih_l0 [4 width], NAME.bias_hh_l0, ...
Result<LayerPtr> LoadLstm(const Weights& weights, const std::string& name, size_t width, size_t layers);

}  // namespace vqc::nn
