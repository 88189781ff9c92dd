// SPDX-License-Identifier: Apache-2.0
#include "models/nn/tensor_winograd.h"

#include <torch/torch.h>

#include <algorithm>

#include "base/cuda/winograd.h"
#include "base/dynamic_part.h"
#include "models/nn/tensor_flow.h"

namespace vqc::nn {
namespace {

using at::Tensor;

constexpr int64_t kLeastChannels = 32;               // that make products outweigh the sums around them
constexpr int64_t kValuesAtOnce = int64_t{1} << 28;  // of tiles or products, in bounded memory

const TilesPart* Part() {
  static const TilesPart* part = []() -> const TilesPart* {
    const auto address = LoadPart("vqcodec_cuda", "vqc_tiles_part");
    return address.ok() ? reinterpret_cast<decltype(&vqc_tiles_part)>(*address)() : nullptr;
  }();
  return part;
}

// Pictures at a time: an equal number each time, so that none is computed otherwise than the others.
int64_t AtOnce(int64_t batch, int64_t values) {
  int64_t count = std::clamp(kValuesAtOnce / values, int64_t{1}, batch);
  while (batch % count != 0) --count;
  return count;
}

}  // namespace

bool TensorWinograd::Fits(const TensorPlace& place, int64_t in, int64_t out) {
  return place.device.is_cuda() && place.type == at::kFloat && place.part && Part() && in >= kLeastChannels &&
         out >= kLeastChannels;
}

TensorWinograd::TensorWinograd(const Tensor& weight) {
  const auto sides =
      at::tensor({1.0, 0.0, 0.0, 0.5, 0.5, 0.5, 0.5, -0.5, 0.5, 0.0, 0.0, 1.0}, at::kDouble).view({4, 3});
  const Tensor taps = weight.to(at::kCPU, at::kDouble);
  weight_ = at::matmul(at::matmul(sides, taps), sides.t())
                .permute({2, 3, 1, 0})
                .reshape({16, weight.size(1), weight.size(0)})
                .to(weight.options());
}

Tensor TensorWinograd::operator()(const Tensor& pictures) const {
  const Tensor x = pictures.contiguous(at::MemoryFormat::ChannelsLast);
  const int64_t batch = x.size(0), height = x.size(2), width = x.size(3), in = x.size(1),
                out = weight_.size(2);
  const Tensor y = at::empty({batch, out, height, width}, x.options(), at::MemoryFormat::ChannelsLast);
  TilePass pass{.height = height, .width = width, .device = x.device().index()};
  pass.batch = 1;
  pass.batch = AtOnce(batch, 16 * pass.Tiles() * std::max(in, out));
  void* const stream = StreamOf(x.device());
  const auto run = [&](const auto& function, const float* from, float* to, int64_t channels) {
    pass.from = from;
    pass.to = to;
    pass.channels = channels;
    const char* problem = function(pass, stream);
    TORCH_CHECK(!problem, "a convolution on the GPU failed: ", problem);
  };
  const Tensor tiles = at::empty({16, pass.Tiles(), in}, x.options());
  Tensor products = at::empty({16, pass.Tiles(), out}, x.options());
  for (int64_t first = 0; first < batch; first += pass.batch) {
    const int64_t positions = first * height * width;
    run(Part()->take, x.const_data_ptr<float>() + positions * in, tiles.data_ptr<float>(), in);
    at::bmm_out(products, tiles, weight_);
    run(Part()->give, products.const_data_ptr<float>(), y.data_ptr<float>() + positions * out, out);
  }
  return y;
}

}  // namespace vqc::nn
