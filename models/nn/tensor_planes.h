// SPDX-License-Identifier: Apache-2.0
// Networks of pictures (models/nn/plane_network.h) as tensors of libtorch: batches on any device, with the
// numbers of the reference implementations.
#pragma once

#include <memory>

#include "models/nn/plane_network.h"
#include "models/nn/tensor_flow.h"

namespace vqc::nn {

std::unique_ptr<const PlaneMaker> MakeTensorPlanes(const TensorPlace& place);

// [B, in, H, W] -> [B, out, H', W'] of the place's type, through layers of that maker.
at::Tensor RunPlanes(const PlaneNetwork& network, const TensorPlace& place, const at::Tensor& input);

}  // namespace vqc::nn
