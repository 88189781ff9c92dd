// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "models/nn/layer_maker.h"
#include "models/nn/tensor_flow.h"

namespace vqc::nn {

// Makes layers on whole sounds (models/nn/tensor_layer.h) and pictures (models/nn/tensor_planes.h), with the
// numbers of the reference implementations: padding, norms and attention see the whole, whatever plan of
// pieces a network has otherwise.
std::shared_ptr<const LayerMaker> MakeTensorMaker(const TensorPlace& place);

}  // namespace vqc::nn
