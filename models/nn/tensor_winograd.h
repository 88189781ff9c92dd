// SPDX-License-Identifier: Apache-2.0
// 3 x 3 convolutions of pictures in float32 on a GPU, with 4 products for each output instead of 9
// (models/nn/plane_winograd.h). The products are a library's, what is around them the CUDA part's.
#pragma once

#include "models/nn/tensor_flow.h"

namespace vqc::nn {

class TensorWinograd {
 public:
  // Whether the place has it, for so many channels.
  static bool Fits(const TensorPlace& place, int64_t in, int64_t out);

  TensorWinograd() = default;
  explicit TensorWinograd(const at::Tensor& weight);  // [out, in, 3, 3]
  explicit operator bool() const { return weight_.defined(); }

  // [B, in, H, W] -> [B, out, H, W] with channels last in memory, with zeros beside the pictures.
  at::Tensor operator()(const at::Tensor& pictures) const;

 private:
  at::Tensor weight_;  // [16, in, out]
};

}  // namespace vqc::nn
