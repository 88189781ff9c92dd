// SPDX-License-Identifier: Apache-2.0
// StepGraph: the many small kernels of a training step in one launch, where they run on a GPU.
#pragma once

#include <torch/types.h>

#include <functional>
#include <optional>
#include <vector>

#include "training/graphs_part.h"

namespace vqc {

class StepGraph {
 public:
  // Where `device` is a GPU and the part is there, the calling thread works on a stream of its own from here
  // on until the end. Elsewhere Run only calls.
  explicit StepGraph(torch::Device device);
  StepGraph(const StepGraph&) = delete;
  StepGraph& operator=(const StepGraph&) = delete;
  ~StepGraph();

  // Does `work`, which computes gradients of `parameters`: after some calls of the same `kind` by launching
  // again what one of them launched. So `work` reads the same tensors each time, launches the same whatever
  // they hold, and neither waits for the device nor copies from the host. The tensors that it made stay where
  // they are, and get new values with each Run.
  void Run(int kind, const std::vector<torch::Tensor>& parameters, const std::function<void()>& work);

 private:
  void Record(const std::vector<torch::Tensor>& parameters, const std::function<void()>& work);
  void Forget();

  const GraphsPart* part_ = nullptr;
  std::vector<torch::Tensor> gradients_;
  std::optional<c10::Stream> before_;
  void* graph_ = nullptr;
  int kind_ = -1, calls_ = 0;
};

}  // namespace vqc
