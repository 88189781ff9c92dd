// SPDX-License-Identifier: Apache-2.0
#include "models/nn/tensor_rows.h"

#include <torch/torch.h>

#include <utility>

namespace vqc::nn {

using at::Tensor;

Tensor RowsOf(const TensorPlace& place, Flow flow) {
  return Settle(place, std::move(flow)).squeeze(2).transpose(1, 2).contiguous();
}

Flow FlowOf(const Tensor& rows) { return {rows.transpose(1, 2).unsqueeze(2)}; }

Result<TensorLinear> TensorLinear::Load(const TensorPlace& place, const Weights& weights,
                                        const std::string& name, int64_t in, int64_t out, bool with_bias) {
  TensorLinear linear;
  VQC_ASSIGN(const auto values, weights(name + ".weight", {out, in}));
  linear.weight = place.Of(values, {out, in});
  if (!with_bias) return linear;
  VQC_ASSIGN(const auto bias, weights(name + ".bias", {out}));
  linear.bias = place.Of(bias, {out});
  return linear;
}

Tensor TensorLinear::operator()(const Tensor& x) const { return at::linear(x, weight, bias); }

TensorNorm TensorNorm::Of(const TensorPlace& place, const audio::NormWeights& norm) {
  const auto width = static_cast<int64_t>(norm.weight.size());
  return {place.Of(norm.weight, {width}), place.Of(norm.bias, {width}), norm.epsilon};
}

Tensor TensorNorm::operator()(const Tensor& x) const {
  return at::layer_norm(x, {weight.size(0)}, weight, bias, epsilon);
}

Rotations::Rotations(const TensorPlace& place, int64_t rows, int64_t dim, double base) {
  const auto exact = at::TensorOptions().dtype(at::kDouble);
  const Tensor frequencies = at::pow(base, at::arange(0, dim, 2, exact).div(-static_cast<double>(dim)));
  const Tensor angles = at::outer(at::arange(rows, exact), frequencies);
  const auto there = [&](const Tensor& values) {
    return values.to(at::kFloat).to(at::TensorOptions(place.device).dtype(place.type));
  };
  cosine = there(angles.cos());
  sine = there(angles.sin());
}

Tensor Rotations::operator()(const Tensor& x) const {
  const auto halves = x.chunk(2, -1);
  return at::cat({halves[0] * cosine - halves[1] * sine, halves[1] * cosine + halves[0] * sine}, -1);
}

}  // namespace vqc::nn
