// SPDX-License-Identifier: Apache-2.0
// Where and how networks run.
#pragma once

#include <ATen/core/grad_mode.h>
#include <c10/core/Device.h>
#include <c10/core/StreamGuard.h>
#include <torch/nn/module.h>

#include <string>

#include "base/result.h"

namespace vqc {

// "cpu", "cuda", "cuda:N", or "auto" (a GPU where there is one). Loads libtorch_cuda.so from beside
// libtorch_cpu.so when a GPU is asked for. Error kResource says what is missing.
Result<c10::Device> ResolveDevice(const std::string& device);

// Weights of convolutions in channels-last memory, the layout of the activations.
void SetChannelsLast(torch::nn::Module& module);
// Activations, [N, C, H, W], in that layout.
torch::Tensor ChannelsLast(const torch::Tensor& activations);

// In its scope the calling thread computes without gradients and with one intra-op thread, so that no
// reduction is split: results do not depend on the number of threads.
class InferenceScope {
 public:
  InferenceScope();

 private:
  at::NoGradGuard no_grad_;
};

// In its scope what the calling thread gives to a GPU goes by a stream of the thread's own, so that threads
// do not wait for one another. What other threads gave to the device must be complete. Nothing on a CPU.
class StreamScope {
 public:
  explicit StreamScope(c10::Device device);

 private:
  c10::OptionalStreamGuard guard_;
};

}  // namespace vqc
