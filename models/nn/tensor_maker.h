// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "models/nn/layer_maker.h"
#include "models/nn/tensor_flow.h"

namespace vqc::nn {

// Makes layers on whole sounds (models/nn/tensor_layer.h), with the numbers of the reference implementations:
// padding, norms and attention see the whole sound, whatever plan of pieces the network has otherwise.
std::shared_ptr<const LayerMaker> MakeTensorMaker(const TensorPlace& place);

}  // namespace vqc::nn
