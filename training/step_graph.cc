// SPDX-License-Identifier: Apache-2.0
#include "training/step_graph.h"

#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/torch.h>

#include <utility>

#include "base/dynamic_part.h"

namespace vqc {
namespace {

constexpr int kCallsBefore = 3;  // until libraries have chosen their kernels

const GraphsPart* Load() {
  const auto address = LoadPart("vqcodec_graphs", "vqc_graphs_part");
  return address.ok() ? reinterpret_cast<decltype(&vqc_graphs_part)>(*address)() : nullptr;
}

}  // namespace

StepGraph::StepGraph(torch::Device device) {
  if (!device.is_cuda()) return;
  part_ = Load();
  if (!part_) return;
  torch::cuda::synchronize(device.index());
  const c10::impl::VirtualGuardImpl guards(device.type());
  before_ = guards.exchangeStream(guards.getStreamFromGlobalPool(device));
}

StepGraph::~StepGraph() {
  if (!before_) return;
  torch::cuda::synchronize(before_->device_index());
  Forget();
  c10::impl::VirtualGuardImpl(before_->device_type()).exchangeStream(*before_);
}

void StepGraph::Forget() {
  gradients_.clear();
  if (graph_) part_->destroy(std::exchange(graph_, nullptr));
}

void StepGraph::Record(const std::vector<torch::Tensor>& parameters, const std::function<void()>& work) {
  graph_ = part_->begin();
  try {
    work();
  } catch (...) {
    try {
      part_->end(graph_);
    } catch (...) {  // a recording that failed may end in an error of its own; the first one says more
    }
    throw;
  }
  part_->end(graph_);
  for (const auto& parameter : parameters) gradients_.push_back(parameter.grad());
}

void StepGraph::Run(int kind, const std::vector<torch::Tensor>& parameters,
                    const std::function<void()>& work) {
  if (!part_) return work();
  if (kind != kind_) {
    Forget();
    kind_ = kind;
    calls_ = 0;
  }
  if (!graph_ && calls_++ < kCallsBefore) return work();
  if (!graph_) Record(parameters, work);
  for (size_t i = 0; i < parameters.size(); ++i) parameters[i].mutable_grad() = gradients_[i];
  part_->replay(graph_);
}

}  // namespace vqc
