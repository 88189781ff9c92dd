// SPDX-License-Identifier: Apache-2.0
// What layers on [B, rows, channels] have in common.
#pragma once

#include <torch/types.h>

#include <string>

#include "models/nn/tensor_flow.h"

namespace vqc::nn {

// [B, C, 1, T], settled, as [B, T, C] contiguous, and back.
at::Tensor RowsOf(const TensorPlace& place, Flow flow);
Flow FlowOf(const at::Tensor& rows);

struct TensorLinear {
  at::Tensor weight, bias;  // [out, in], [out]; no bias where there is none

  // NAME.weight and, if wanted, NAME.bias.
  static Result<TensorLinear> Load(const TensorPlace& place, const Weights& weights, const std::string& name,
                                   int64_t in, int64_t out, bool with_bias);
  at::Tensor operator()(const at::Tensor& x) const;
};

// Over the channels of a row.
struct TensorNorm {
  at::Tensor weight, bias;
  double epsilon = 1e-5;

  static TensorNorm Of(const TensorPlace& place, const audio::NormWeights& norm);
  at::Tensor operator()(const at::Tensor& x) const;
};

// Cosines and sines [rows, dim / 2] of the rotations of `rows` positions (Su et al. 2021, arXiv 2104.09864).
struct Rotations {
  at::Tensor cosine, sine;

  Rotations(const TensorPlace& place, int64_t rows, int64_t dim, double base);
  // [..., rows, dim]: pairs (d, d + dim / 2) are turned.
  at::Tensor operator()(const at::Tensor& x) const;
};

}  // namespace vqc::nn
