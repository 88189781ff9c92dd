// SPDX-License-Identifier: Apache-2.0
#include "models/nn/tensor_flow.h"

#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/torch.h>

#include <algorithm>

#include "base/cuda/depthwise.h"
#include "base/dynamic_part.h"

namespace vqc::nn {
namespace {

using at::Tensor;

Tensor Activate(const Activation& activation, const Tensor& x) {
  switch (activation.kind) {
    case ActivationKind::kElu:
      return at::elu(x);
    case ActivationKind::kTanh:
      return at::tanh(x);
    case ActivationKind::kSnake: {
      const auto by_channel = [&](const Tensor& values) {
        return values.to(x.scalar_type()).view({-1, 1, 1});
      };
      return at::addcmul(x, by_channel(activation.inverse),
                         at::sin(x * by_channel(activation.alpha)).square_());
    }
    default:
      return x;
  }
}

Tensor Reflect(Tensor x, int64_t left, int64_t right) {
  const int64_t most = std::max(left, right), zeros = std::max<int64_t>(most - x.size(3) + 1, 0);
  if (zeros > 0) x = at::constant_pad_nd(x, {0, zeros});
  const Tensor padded = at::reflection_pad1d(x.squeeze(2), {left, right}).unsqueeze(2);
  return zeros > 0 ? padded.narrow(3, 0, padded.size(3) - zeros) : padded;
}

Tensor Pad(const Tensor& x, const Margins& margins) {
  if (margins.left == 0 && margins.right == 0) return x;
  switch (margins.padding) {
    case Padding::kReflect:
      return Reflect(x, margins.left, margins.right);
    case Padding::kReplicate:
      return at::replication_pad1d(x.squeeze(2), {margins.left, margins.right}).unsqueeze(2);
    default:
      return at::constant_pad_nd(x, {margins.left, margins.right});
  }
}

MarginKind KindOf(Padding padding) {
  return padding == Padding::kReflect     ? MarginKind::kReflect
         : padding == Padding::kReplicate ? MarginKind::kReplicate
                                          : MarginKind::kZeros;
}

void TakeStrides(const Tensor& x, int64_t (&strides)[3]) {
  for (const auto& [to, dimension] : {std::pair{0, 0}, {1, 1}, {2, 3}}) strides[to] = x.stride(dimension);
}

// All but y.
SettlePass PassOf(const TensorPlace& place, const Flow& flow, const Margins& margins) {
  const Tensor& x = flow.x;
  SettlePass pass;
  pass.batch = x.size(0);
  pass.channels = x.size(1);
  pass.rows = x.size(3);
  pass.left = margins.left;
  pass.right = margins.right;
  pass.margin = KindOf(margins.padding);
  pass.x = x.data_ptr();
  TakeStrides(x, pass.x_strides);
  if (flow.skip.defined()) {
    pass.skip = flow.skip.data_ptr();
    TakeStrides(flow.skip, pass.skip_strides);
  }
  if (flow.bias.defined()) pass.bias = flow.bias.const_data_ptr<float>();
  if (flow.activation) {
    pass.activation = flow.activation->kind;
    if (flow.activation->alpha.defined()) {
      pass.alpha = flow.activation->alpha.const_data_ptr<float>();
      pass.inverse = flow.activation->inverse.const_data_ptr<float>();
    }
  }
  pass.bfloat16 = place.type == at::kBFloat16;
  pass.device = x.device().index();
  return pass;
}

// [batch, channels, 1, rows], which `pass` is to fill.
Tensor PlaceForY(const Tensor& x, int64_t rows, SettlePass& pass) {
  const Tensor y = at::empty({pass.batch, pass.channels, 1, rows}, x.options());
  pass.y = y.data_ptr();
  TakeStrides(y, pass.y_strides);
  return y;
}

// There are fewer rows than are taken in reverse.
bool Lengthened(const Flow& flow, const Margins& margins) {
  return margins.padding == Padding::kReflect && std::max(margins.left, margins.right) >= flow.x.size(3);
}

}  // namespace

Tensor Sum(const Tensor& a, const Tensor& b) { return !a.defined() ? b : !b.defined() ? a : a + b; }

void* StreamOf(c10::Device device) {
  const c10::impl::VirtualGuardImpl guards(device.type());
  return guards.getStreamNativeHandle(guards.getStream(device));
}

TensorPlace PlaceOn(c10::Device device, at::ScalarType type) {
  TensorPlace place{device, type};
  if (device.is_cpu()) return place;
  const auto part = LoadPart("vqcodec_cuda", "vqc_layers_part");
  if (part.ok()) place.part = reinterpret_cast<decltype(&vqc_layers_part)>(*part)();
  return place;
}

Tensor TensorPlace::Of(const std::vector<float>& values, at::IntArrayRef shape) const {
  auto tensor = at::empty(shape, at::kFloat);
  std::copy(values.begin(), values.end(), tensor.data_ptr<float>());
  return tensor.to(at::TensorOptions(device).dtype(type));
}

Tensor TensorPlace::Floats(const std::vector<float>& values) const {
  auto tensor = at::empty({static_cast<int64_t>(values.size())}, at::kFloat);
  std::copy(values.begin(), values.end(), tensor.data_ptr<float>());
  return tensor.to(device);
}

Tensor Settle(const TensorPlace& place, Flow flow, const Margins& margins) {
  const bool bare = !flow.skip.defined() && !flow.bias.defined() && !flow.activation;
  if (bare && margins.left == 0 && margins.right == 0) return flow.x.contiguous();
  if (place.part && !Lengthened(flow, margins)) {
    SettlePass pass = PassOf(place, flow, margins);
    const Tensor y = PlaceForY(flow.x, pass.left + pass.rows + pass.right, pass);
    OnGpu(place.part->settle, pass, flow.x.device());
    return y;
  }
  Tensor x = std::move(flow.x);
  if (flow.bias.defined()) x = x + flow.bias.to(x.scalar_type()).view({-1, 1, 1});
  if (flow.skip.defined()) x = x + flow.skip;
  if (flow.activation) x = Activate(*flow.activation, x);
  return Pad(x, margins).contiguous();
}

Tensor SettleDepthwise(const TensorPlace& place, const Flow& flow, const Margins& margins,
                       const Tensor& weight, int64_t dilation) {
  const int64_t kernel = weight.size(1), span = (kernel - 1) * dilation + 1;
  if (!place.part || Lengthened(flow, margins) || span > kMostDepthwiseSpan) return {};
  DepthwisePass pass{.settle = PassOf(place, flow, margins),
                     .weight = weight.const_data_ptr<float>(),
                     .kernel = static_cast<int>(kernel),
                     .dilation = static_cast<int>(dilation)};
  const Tensor y = PlaceForY(flow.x, pass.Rows(), pass.settle);
  OnGpu(place.part->depthwise, pass, flow.x.device());
  return y;
}

}  // namespace vqc::nn
