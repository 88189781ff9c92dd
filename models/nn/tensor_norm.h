// SPDX-License-Identifier: Apache-2.0
// Pictures as tensors of libtorch on their way through layers: what is still to be done to each value, alone
// or with the group norm behind it.
#pragma once

#include "models/nn/tensor_flow.h"

namespace vqc::nn {

inline constexpr double kGroupEpsilon = 1e-6;  // of models/nn/plane_norm.cc

// How [B, C, H, W] lie in memory: on a GPU with channels last, as tensor cores and tensor_winograd.h take
// them, but for float32 without the CUDA part.
at::MemoryFormat FormatOf(const TensorPlace& place);

// [B, C, H, W] in this format. REQUIRES: no activation
at::Tensor SettlePicture(const TensorPlace& place, const Flow& flow);

struct PictureNorm {
  at::Tensor weight, bias;  // float32 [C], or [B, C] of each picture
  int64_t groups = 1;
  bool silu = false;  // behind it
};
struct NormedPicture {
  at::Tensor sum;  // what the flow stands for; undefined unless it was wanted
  at::Tensor y;
};
// REQUIRES: no activation
NormedPicture NormalizePicture(const TensorPlace& place, const Flow& flow, const PictureNorm& norm,
                               bool want_sum);

}  // namespace vqc::nn
