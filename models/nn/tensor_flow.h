// SPDX-License-Identifier: Apache-2.0
// Rows of whole sounds, or pictures, as tensors of libtorch, on any device, on their way through layers.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <c10/util/Exception.h>

#include <memory>
#include <vector>

#include "base/cuda/settle.h"
#include "models/nn/stream_conv.h"

namespace vqc::nn {

class LayerMaker;

// Where tensors are, in float32 or bfloat16. Rows of sounds are last in memory: with channels last
// convolutions were no faster on an H200, in neither type.
struct TensorPlace {
  c10::Device device = c10::kCPU;
  at::ScalarType type = at::kFloat;
  const LayersPart* part = nullptr;  // of the CUDA part; null: by functions of libtorch

  // Weights of a layer, in the place's type.
  at::Tensor Of(const std::vector<float>& values, at::IntArrayRef shape) const;
  at::Tensor Floats(const std::vector<float>& values) const;  // [n], float32 in any case
};

inline int64_t Int(size_t value) { return static_cast<int64_t>(value); }
// Of tensors that may be undefined, which count as zeros.
at::Tensor Sum(const at::Tensor& a, const at::Tensor& b);

// The native handle of the stream that libtorch works on there.
void* StreamOf(c10::Device device);
// Error of libtorch, as its own functions throw, where the CUDA part's function says what went wrong.
template <class Pass>
void OnGpu(const char* (*run)(const Pass&, void*), const Pass& pass, c10::Device device) {
  const char* problem = run(pass, StreamOf(device));
  TORCH_CHECK(!problem, "a pass on the GPU failed: ", problem);
}

// With the CUDA part on a GPU where it is.
TensorPlace PlaceOn(c10::Device device, at::ScalarType type);
// Makes layers on whole sounds (models/nn/tensor_layer.h) and pictures (models/nn/tensor_planes.h), with the
// numbers of the reference implementations: padding, norms and attention see the whole, whatever plan of
// pieces a network has otherwise.
std::shared_ptr<const LayerMaker> MakeTensorMaker(const TensorPlace& place);

struct Activation {
  ActivationKind kind = ActivationKind::kNone;
  at::Tensor alpha, inverse;  // float32 [channels], of kSnake
};

// A batch of sounds [B, C, 1, T] or of pictures [B, C, H, W], and what is still to be done to each value, in
// this order: layers that need the values settle it in one pass, with whatever they want beside the rows.
struct Flow {
  at::Tensor x;
  at::Tensor skip{};                       // to be added, as x; may be undefined
  at::Tensor bias{};                       // to be added, float32 [C]; may be undefined
  const Activation* activation = nullptr;  // of the sum; null: none
};

struct Margins {
  int64_t left = 0, right = 0;
  Padding padding = Padding::kZeros;
};

// [B, C, 1, left + T + right]. A sound of too few rows to be taken in reverse is lengthened by zeros for it.
at::Tensor Settle(const TensorPlace& place, Flow flow, const Margins& margins = {});

// Settled rows through a convolution of each channel by itself, weight [C, kernel] in float32, in one pass on
// a GPU: [B, C, 1, left + T + right - (kernel - 1) * dilation]. Undefined where the CUDA part cannot do it.
at::Tensor SettleDepthwise(const TensorPlace& place, const Flow& flow, const Margins& margins,
                           const at::Tensor& weight, int64_t dilation);

}  // namespace vqc::nn
