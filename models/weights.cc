// SPDX-License-Identifier: Apache-2.0
#include "models/weights.h"

#include <torch/torch.h>

#include <cstring>

#include "models/device.h"

namespace vqc {
namespace {

Result<torch::ScalarType> ScalarTypeOf(DType type, const std::string& name) {
  switch (type) {
    case DType::kF16:
      return torch::kFloat16;
    case DType::kBF16:
      return torch::kBFloat16;
    case DType::kF32:
      return torch::kFloat32;
    default:
      break;
  }
  return Error{ErrorCode::kModel, "tensor " + name + " has type " + std::string(NameOf(type)) +
                                      "; weights are F16, BF16 or F32"};
}

std::string ShapeText(at::IntArrayRef shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

}  // namespace

Result<torch::Tensor> ToTensor(const TensorView& view, const std::string& name) {
  VQC_ASSIGN(const auto type, ScalarTypeOf(view.dtype, name));
  auto tensor = torch::empty(view.shape, torch::TensorOptions().dtype(type));
  if (tensor.nbytes() != view.bytes.size()) {
    return Error{ErrorCode::kModel, "tensor " + name + " has " + std::to_string(view.bytes.size()) +
                                        " bytes; its shape needs " + std::to_string(tensor.nbytes())};
  }
  if (!view.bytes.empty()) std::memcpy(tensor.data_ptr(), view.bytes.data(), view.bytes.size());
  tensor = tensor.to(torch::kFloat32);
  if (!torch::isfinite(tensor).all().item<bool>()) {
    return Error{ErrorCode::kModel, "tensor " + name + " holds NaN or infinity; the weights are damaged"};
  }
  return tensor;
}

Status LoadWeights(torch::nn::Module& module, const SafeTensors& tensors, const std::string& prefix) {
  torch::NoGradGuard no_grad;
  for (auto& item : module.named_parameters()) {
    const std::string name = prefix + item.key();
    VQC_ASSIGN(const TensorView view, tensors.Get(name));
    if (at::IntArrayRef(view.shape) != item.value().sizes()) {
      return Error{ErrorCode::kModel, "tensor " + name + " has shape " + ShapeText(view.shape) +
                                          "; the model needs " + ShapeText(item.value().sizes())};
    }
    VQC_ASSIGN(const torch::Tensor tensor, ToTensor(view, name));
    item.value().copy_(tensor);
  }
  return {};
}

Status LoadForInference(torch::nn::Module& module, const SafeTensors& tensors, const std::string& prefix,
                        c10::Device device) {
  VQC_TRY(LoadWeights(module, tensors, prefix));
  module.eval();
  module.to(device);
  SetChannelsLast(module);
  return {};
}

void TensorBag::Add(const std::string& name, const torch::Tensor& tensor, DType type) {
  const auto scalar = type == DType::kF16 ? torch::kFloat16 : torch::kFloat32;
  const auto flat = tensor.detach().to(torch::kCPU).to(scalar).contiguous();
  const auto* data = static_cast<const uint8_t*>(flat.data_ptr());
  tensors_[name] = {type, flat.sizes().vec(), {data, data + flat.nbytes()}};
}

void TensorBag::AddView(const std::string& name, const TensorView& view) {
  tensors_[name] = {view.dtype, view.shape, {view.bytes.begin(), view.bytes.end()}};
}

void TensorBag::AddBytes(const std::string& name, std::vector<uint8_t> bytes) {
  const auto size = static_cast<int64_t>(bytes.size());
  tensors_[name] = {DType::kU8, {size}, std::move(bytes)};
}

}  // namespace vqc
