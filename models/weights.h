// SPDX-License-Identifier: Apache-2.0
// Weights of modules from and to safetensors.
#pragma once

#include <torch/nn/module.h>

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/safetensors.h"
#include "models/write_bundle.h"

namespace vqc {

// A float32 tensor on the CPU from F16, BF16 or F32 bytes. Error kModel names the tensor when it holds NaN or
// Inf.
Result<torch::Tensor> ToTensor(const TensorView& view, const std::string& name);

// Copies the tensors named `prefix` + parameter name into every parameter of `module`. Error kModel names the
// tensor that is missing or has another shape, with both shapes. Buffers are not stored: they follow from the
// config.
Status LoadWeights(torch::nn::Module& module, const SafeTensors& tensors, const std::string& prefix);

// The same, and the module is made ready: in evaluation mode, on `device`, in channels-last memory.
Status LoadForInference(torch::nn::Module& module, const SafeTensors& tensors, const std::string& prefix,
                        c10::Device device);

// Tensors for writing.
class TensorBag {
 public:
  // REQUIRES: type is kF16 or kF32
  void Add(const std::string& name, const torch::Tensor& tensor, DType type);
  void AddView(const std::string& name, const TensorView& view);  // a copy of its bytes
  void AddBytes(const std::string& name, std::vector<uint8_t> bytes);
  const OwnedTensors& Tensors() const { return tensors_; }
  std::map<std::string, TensorView> Views() const { return ViewsOf(tensors_); }  // live as long as the bag

 private:
  OwnedTensors tensors_;
};

}  // namespace vqc
