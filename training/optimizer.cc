// SPDX-License-Identifier: Apache-2.0
#include "training/optimizer.h"

#include <torch/torch.h>

#include <algorithm>

namespace vqc {
namespace {

// The parameters take the values. Those that are their own masters have them, but the fused kernels do not
// tell their version counters.
void Copy(const std::vector<torch::Tensor>& values, const std::vector<NamedParameter>& parameters) {
  std::vector<torch::Tensor> from, into;
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i].is_alias_of(parameters[i].tensor)) {
      parameters[i].tensor.unsafeGetTensorImpl()->bump_version();
    } else {
      from.push_back(values[i]);
      into.push_back(parameters[i].tensor);
    }
  }
  if (!from.empty()) at::_foreach_copy_(into, from);
}

}  // namespace

Optimizer::Optimizer(std::vector<NamedParameter> parameters, const OptimizerOptions& options)
    : parameters_(std::move(parameters)), options_(options) {
  torch::NoGradGuard no_grad;
  groups_[0].weight_decay = options.weight_decay;
  groups_[1].weight_decay = 0;
  step_ = torch::zeros({}, parameters_.front().tensor.options().dtype(torch::kFloat32));
  for (const NamedParameter& p : parameters_) {
    const bool averaged = options.average > 0;
    master_.push_back(p.tensor.detach().to(torch::kFloat32, /*non_blocking=*/false, /*copy=*/averaged));
    mean_.push_back(torch::zeros_like(master_.back()));
    variance_.push_back(torch::zeros_like(master_.back()));
    average_.push_back(averaged ? master_.back().clone() : master_.back());
    widened_.emplace_back();
    Group& group = groups_[p.tensor.dim() >= 2 ? 0 : 1];
    group.master.push_back(master_.back());
    group.parameter.push_back(master_.size() - 1);
    group.mean.push_back(mean_.back());
    group.variance.push_back(variance_.back());
    group.step.push_back(step_);
  }
}

std::vector<torch::Tensor> Optimizer::TakeGradients() {
  std::vector<torch::Tensor> taken, from, into;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const auto given = parameters_[i].tensor.grad();
    if (given.defined() && given.scalar_type() == torch::kFloat32 &&
        given.strides() == master_[i].strides()) {
      taken.push_back(given);
    } else {
      if (!widened_[i].defined()) widened_[i] = torch::empty_like(master_[i]);
      taken.push_back(widened_[i]);
      if (given.defined()) {
        from.push_back(given);
        into.push_back(widened_[i]);
      } else {
        widened_[i].zero_();
      }
    }
    parameters_[i].tensor.mutable_grad().reset();
  }
  if (!into.empty()) at::_foreach_copy_(into, from);
  return taken;
}

torch::Tensor Optimizer::Step(double learning_rate) {
  torch::NoGradGuard no_grad;
  const auto gradients = TakeGradients();
  // Few operations on single numbers: each takes a GPU as long as a pass over a small codebook.
  const auto norms = at::_foreach_norm(gradients, 2);
  const auto norm = norms.size() == 1 ? norms[0] : torch::stack(norms).norm();
  const auto bad = (norm * 0).ne_(0);                         // 1 for NaN and infinity, else 0
  const auto clip = norm.div(options_.clip).clamp_min_(1.0);  // gradients are divided by it

  step_.sub_(bad).add_(1);
  for (Group& group : groups_) {
    if (group.master.empty()) continue;
    std::vector<torch::Tensor> gradient;
    for (const size_t position : group.parameter) gradient.push_back(gradients[position]);
    at::_fused_adamw_(group.master, gradient, group.mean, group.variance, {}, group.step, learning_rate,
                      options_.beta1, options_.beta2, group.weight_decay, options_.epsilon, /*amsgrad=*/false,
                      /*maximize=*/false, /*grad_scale=*/clip, /*found_inf=*/bad);
  }
  ++steps_;
  if (options_.average > 0) {
    const double young = static_cast<double>(1 + steps_) / static_cast<double>(10 + steps_);
    at::_foreach_lerp_(average_, master_, 1 - std::min(options_.average, young));
  }
  UseMaster();
  return norm;
}

void Optimizer::UseAverage() {
  torch::NoGradGuard no_grad;
  Copy(average_, parameters_);
}

void Optimizer::UseMaster() {
  torch::NoGradGuard no_grad;
  Copy(master_, parameters_);
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
