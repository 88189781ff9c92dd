// SPDX-License-Identifier: Apache-2.0
// GradientBalance: losses of unlike scales by their shares of the gradient (Defossez et al. 2022, arXiv
// 2210.13438).
#pragma once

#include <torch/types.h>

#include <vector>

#include "base/result.h"
#include "models/weights.h"

namespace vqc {

class GradientBalance {
 public:
  GradientBalance(size_t losses, torch::Device device);

  // Gradient of all losses at `x`, which they are functions of and which is a leaf: each one's over the
  // moving average of its length, times its weight, over the sum of the weights. A loss of weight 0 is left
  // out, and its average stays.
  torch::Tensor At(const torch::Tensor& x, const std::vector<torch::Tensor>& losses,
                   const std::vector<double>& weights);

  const torch::Tensor& lengths() const { return lengths_; }  // moving averages [losses]; 0 where not yet met

  void Save(TensorBag& bag) const;
  Status Load(const SafeTensors& state);

 private:
  torch::Tensor lengths_;
};

}  // namespace vqc
