// SPDX-License-Identifier: Apache-2.0
#include "models/nn/tensor_norm.h"

#include <torch/torch.h>

namespace vqc::nn {
namespace {

using at::Tensor;

// By one function of the CUDA part.
struct GpuPass {
  NormPass pass;
  Tensor x, skip, sum, y, workspace;  // which the pass points to

  GpuPass(const TensorPlace& place, const Flow& flow, bool want_sum) {
    const at::MemoryFormat format = FormatOf(place);
    x = flow.x.contiguous(format);
    pass.batch = x.size(0);
    pass.channels = x.size(1);
    pass.positions = x.size(2) * x.size(3);
    pass.x = x.const_data_ptr();
    if (flow.skip.defined()) {
      skip = flow.skip.contiguous(format);
      pass.skip = skip.const_data_ptr();
    }
    if (flow.bias.defined()) pass.bias = flow.bias.const_data_ptr<float>();
    if (want_sum || skip.defined()) {
      sum = at::empty_like(x);
      pass.sum = sum.data_ptr();
    }
    pass.channels_last = format == at::MemoryFormat::ChannelsLast;
    pass.bfloat16 = place.type == at::kBFloat16;
    pass.device = x.device().index();
  }

  void Run(const TensorPlace& place) const { OnGpu(place.part->norm, pass, x.device()); }
};

NormedPicture NormalizePictureOnGpu(const TensorPlace& place, const Flow& flow, const PictureNorm& norm,
                                    bool want_sum) {
  GpuPass gpu(place, flow, want_sum);
  NormPass& pass = gpu.pass;
  gpu.y = at::empty_like(gpu.x);
  pass.y = gpu.y.data_ptr();
  pass.weight = norm.weight.const_data_ptr<float>();
  pass.shift = norm.bias.const_data_ptr<float>();
  pass.each = norm.weight.dim() == 1 ? 0 : pass.channels;
  pass.groups = norm.groups;
  pass.epsilon = static_cast<float>(kGroupEpsilon);
  pass.silu = norm.silu;
  gpu.workspace = at::empty({static_cast<int64_t>(NormFloats(pass))}, norm.weight.options());
  pass.workspace = gpu.workspace.data_ptr<float>();
  gpu.Run(place);
  return {gpu.sum.defined() ? gpu.sum : gpu.x, gpu.y};
}

}  // namespace

at::MemoryFormat FormatOf(const TensorPlace& place) {
  const bool last = !place.device.is_cpu() && (place.type == at::kBFloat16 || place.part);
  return last ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
}

Tensor SettlePicture(const TensorPlace& place, const Flow& flow) {
  if (!flow.skip.defined() && !flow.bias.defined()) return flow.x.contiguous(FormatOf(place));
  if (place.part) {
    const GpuPass gpu(place, flow, true);
    gpu.Run(place);
    return gpu.sum;
  }
  Tensor x = flow.x;
  if (flow.bias.defined()) x = x + flow.bias.to(x.scalar_type()).view({-1, 1, 1});
  if (flow.skip.defined()) x = x + flow.skip;
  return x.contiguous(FormatOf(place));
}

NormedPicture NormalizePicture(const TensorPlace& place, const Flow& flow, const PictureNorm& norm,
                               bool want_sum) {
  if (place.part) {
    const bool bare = !flow.skip.defined() && !flow.bias.defined();
    return NormalizePictureOnGpu(place, flow, norm, want_sum && !bare);
  }
  const Tensor x = SettlePicture(place, flow);
  const auto typed = [&](const Tensor& values) { return values.to(x.scalar_type()); };
  Tensor y;
  if (norm.weight.dim() == 1) {
    y = at::group_norm(x, norm.groups, typed(norm.weight), typed(norm.bias), kGroupEpsilon);
  } else {
    const auto by_picture = [&](const Tensor& values) { return typed(values).unsqueeze(2).unsqueeze(3); };
    y = at::addcmul(by_picture(norm.bias), at::group_norm(x, norm.groups, {}, {}, kGroupEpsilon),
                    by_picture(norm.weight));
  }
  if (norm.silu) y = at::silu(y);
  return {x, y.contiguous(FormatOf(place))};
}

}  // namespace vqc::nn
