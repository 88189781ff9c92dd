// SPDX-License-Identifier: Apache-2.0
#include "training/optimizer.h"

#include <torch/torch.h>

#include <algorithm>

namespace vqc {
namespace {

std::vector<torch::Tensor> Tensors(const std::vector<NamedParameter>& parameters) {
  std::vector<torch::Tensor> tensors;
  for (const auto& p : parameters) tensors.push_back(p.tensor);
  return tensors;
}

}  // namespace

Optimizer::Optimizer(std::vector<NamedParameter> parameters, const OptimizerOptions& options)
    : parameters_(std::move(parameters)), options_(options) {
  torch::NoGradGuard no_grad;
  groups_[0].weight_decay = options.weight_decay;
  groups_[1].weight_decay = 0;
  step_ = torch::zeros({}, parameters_.front().tensor.options().dtype(torch::kFloat32));
  for (const NamedParameter& p : parameters_) {
    master_.push_back(p.tensor.detach().to(torch::kFloat32, /*non_blocking=*/false, /*copy=*/true));
    gradient_.push_back(torch::zeros_like(master_.back()));
    mean_.push_back(torch::zeros_like(master_.back()));
    variance_.push_back(torch::zeros_like(master_.back()));
    average_.push_back(master_.back().clone());
    Group& group = groups_[p.tensor.dim() >= 2 ? 0 : 1];
    group.master.push_back(master_.back());
    group.gradient.push_back(gradient_.back());
    group.mean.push_back(mean_.back());
    group.variance.push_back(variance_.back());
    group.step.push_back(step_);
  }
}

torch::Tensor Optimizer::Step(double learning_rate) {
  torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> given;
  for (NamedParameter& p : parameters_) {
    given.push_back(p.tensor.grad().defined() ? p.tensor.grad() : torch::zeros_like(p.tensor));
  }
  at::_foreach_copy_(gradient_, given);
  for (NamedParameter& p : parameters_) p.tensor.mutable_grad().reset();

  const auto norm = torch::stack(at::_foreach_norm(gradient_, 2)).norm();
  const auto bad = torch::logical_not(torch::isfinite(norm)).to(torch::kFloat32);
  at::_foreach_mul_(gradient_, torch::clamp_max(options_.clip / (norm + 1e-6), 1.0));

  step_.add_(1 - bad);
  for (Group& group : groups_) {
    if (group.master.empty()) continue;
    at::_fused_adamw_(group.master, group.gradient, group.mean, group.variance, {}, group.step, learning_rate,
                      options_.beta1, options_.beta2, group.weight_decay, options_.epsilon, /*amsgrad=*/false,
                      /*maximize=*/false, /*grad_scale=*/{}, /*found_inf=*/bad);
  }
  ++steps_;
  const double young = static_cast<double>(1 + steps_) / static_cast<double>(10 + steps_);
  at::_foreach_lerp_(average_, master_, 1 - std::min(options_.average, young));
  UseMaster();
  return norm;
}

void Optimizer::UseAverage() {
  torch::NoGradGuard no_grad;
  at::_foreach_copy_(Tensors(parameters_), average_);
}

void Optimizer::UseMaster() {
  torch::NoGradGuard no_grad;
  at::_foreach_copy_(Tensors(parameters_), master_);
}

void Optimizer::Save(TensorBag& bag, const std::string& prefix) const {
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const std::string name = parameters_[i].name;
    bag.Add(prefix + "master." + name, master_[i], DType::kF32);
    bag.Add(prefix + "mean." + name, mean_[i], DType::kF32);
    bag.Add(prefix + "variance." + name, variance_[i], DType::kF32);
    bag.Add(prefix + "average." + name, average_[i], DType::kF32);
  }
  bag.Add(prefix + "optimizer.step", step_, DType::kF32);
}

Status Optimizer::Load(const SafeTensors& state, const std::string& prefix) {
  torch::NoGradGuard no_grad;
  const auto read = [&](const std::string& name, torch::Tensor into) -> Status {
    VQC_ASSIGN(const TensorView view, state.Get(name));
    VQC_ASSIGN(const torch::Tensor value, ToTensor(view, name));
    if (value.sizes() != into.sizes()) {
      return Error{ErrorCode::kModel, "training state: tensor " + name +
                                          " has another shape; the state belongs to another network"};
    }
    into.copy_(value);
    return {};
  };
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const std::string& name = parameters_[i].name;
    VQC_TRY(read(prefix + "master." + name, master_[i]));
    VQC_TRY(read(prefix + "mean." + name, mean_[i]));
    VQC_TRY(read(prefix + "variance." + name, variance_[i]));
    VQC_TRY(read(prefix + "average." + name, average_[i]));
  }
  VQC_TRY(read(prefix + "optimizer.step", step_));
  steps_ = static_cast<int64_t>(step_.item<float>());
  UseMaster();
  return {};
}

}  // namespace vqc
