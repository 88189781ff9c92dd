// SPDX-License-Identifier: Apache-2.0
// AdamW (Loshchilov & Hutter, 2019) on float32 master weights, with an exponential moving average of them.
//
// The modules may hold bf16 copies: gradients are widened, the masters updated by libtorch's fused kernels,
// and the copies written back.
#pragma once

#include <torch/types.h>

#include <string>
#include <vector>

#include "base/result.h"
#include "base/safetensors.h"
#include "models/weights.h"

namespace vqc {

struct OptimizerOptions {
  double beta1 = 0.9, beta2 = 0.95, epsilon = 1e-8;
  double weight_decay = 1e-4;  // of weights with two dimensions or more
  double clip = 1.0;           // global norm of the gradient
  // Final decay of the moving average; lower while it is young, so that the start is forgotten. 0: there is
  // none, and what is said of averages below is true of the weights themselves.
  double average = 0.999;
};

struct NamedParameter {
  std::string name;
  torch::Tensor tensor;
};

class Optimizer {
 public:
  Optimizer(std::vector<NamedParameter> parameters, const OptimizerOptions& options);

  // One step on the parameters' gradients, which are cleared. A gradient that is not finite changes nothing.
  // Returns the norm before clipping, on the device.
  torch::Tensor Step(double learning_rate);

  // The averaged weights, float32, in the order of the parameters.
  const std::vector<torch::Tensor>& average() const { return average_; }
  const std::vector<NamedParameter>& parameters() const { return parameters_; }

  // Exchanges the parameters' values with the averages, for evaluation, and back.
  void UseAverage();
  void UseMaster();

  // Tensors are named with `prefix`, so that several optimizers fit into one state.
  void Save(TensorBag& bag, const std::string& prefix = "") const;
  Status Load(const SafeTensors& state, const std::string& prefix = "");

 private:
  struct Group {
    double weight_decay;
    std::vector<torch::Tensor> master, mean, variance, step;
    std::vector<size_t> parameter;  // positions among all
  };

  // Of all parameters, as float32 and in the order of the masters; they are cleared.
  std::vector<torch::Tensor> TakeGradients();

  std::vector<NamedParameter> parameters_;
  OptimizerOptions options_;
  std::vector<torch::Tensor> master_, mean_, variance_, average_;
  std::vector<torch::Tensor> widened_;  // where the gradient is of another type or order than the master
  torch::Tensor step_;                  // float32 scalar, what the fused kernel counts
  int64_t steps_ = 0;                   // calls of Step
  Group groups_[2];
};

}  // namespace vqc
