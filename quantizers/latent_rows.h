// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

namespace vqc {

// [B, D, ...] -> [N, D], N = B * ....
inline torch::Tensor ToRows(const torch::Tensor& latents) {
  return latents.movedim(1, -1).reshape({-1, latents.size(1)});
}

// [N, E] -> [B, E, ...], for rows of latents with the shape of `like`.
inline torch::Tensor FromRows(const torch::Tensor& rows, const torch::Tensor& like) {
  auto shape = like.sizes().vec();
  shape.erase(shape.begin() + 1);
  shape.push_back(rows.size(1));
  return rows.reshape(shape).movedim(-1, 1);
}

// Scaled to length 1 along dimension 1; what is nearly zero (shorter than 1e-6) stays so. Differentiable
// once.
torch::Tensor Unit(const torch::Tensor& latents);

}  // namespace vqc
