// SPDX-License-Identifier: Apache-2.0
#include "models/nn/tensor_planes.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "models/nn/tensor_norm.h"
#include "models/nn/tensor_winograd.h"

namespace vqc::nn {
namespace {

using at::Tensor;

constexpr int64_t kScoresAtOnce = int64_t{1} << 30;  // of attention

class TensorPlaneLayer : public PlaneLayer {
 public:
  virtual Flow Forward(Flow flow, const Tensor& input) const = 0;
  Plane Apply(Plane, const Plane&, int) const final {
    throw std::logic_error("a layer of tensors takes batches of pictures");
  }
};

struct TensorConv2d {
  Tensor weight, bias;   // in the place's type, float32; the latter may be undefined
  TensorWinograd tiles;  // which does it all, or none
  int64_t stride = 1, before = 0;
  bool behind = false;  // zeros at the bottom and on the right alone

  static Result<TensorConv2d> Load(const TensorPlace& place, const Weights& weights, const std::string& name,
                                   size_t in, size_t out, size_t kernel, const ConvOptions& options) {
    const int64_t side = Int(kernel), shape[] = {Int(out), Int(in), side, side};
    VQC_ASSIGN(const auto values, weights(name + ".weight", {shape[0], shape[1], side, side}));
    TensorConv2d conv;
    conv.weight = place.Of(values, shape).contiguous(FormatOf(place));
    conv.stride = Int(options.stride);
    conv.behind = conv.stride == 2 && !options.both_sides;
    conv.before = conv.behind ? 0 : side / 2;
    if (side == 3 && conv.stride == 1 && TensorWinograd::Fits(place, shape[1], shape[0]))
      conv.tiles = TensorWinograd(conv.weight);
    if (options.bias) {
      VQC_ASSIGN(const auto bias, weights(name + ".bias", {Int(out)}));
      conv.bias = place.Floats(bias);
    }
    return conv;
  }

  Flow operator()(const Tensor& x) const {
    if (tiles) return {.x = tiles(x), .bias = bias};
    const int64_t strides[] = {stride, stride}, beside[] = {before, before};
    const int64_t more = behind ? weight.size(2) / 2 : 0;
    const Tensor padded = behind ? at::constant_pad_nd(x, {0, more, 0, more}) : x;
    return {.x = at::conv2d(padded, weight, {}, strides, beside), .bias = bias};
  }
};

Result<PictureNorm> LoadPictureNorm(const TensorPlace& place, const Weights& weights, const std::string& name,
                                    size_t channels, size_t groups, bool silu) {
  VQC_ASSIGN(const auto weight, weights(name + ".weight", {Int(channels)}));
  VQC_ASSIGN(const auto bias, weights(name + ".bias", {Int(channels)}));
  return PictureNorm{place.Floats(weight), place.Floats(bias), Int(groups), silu};
}

// A layer of `function(flow, input)`, which gives a flow.
template <class Function>
class FunctionLayer : public TensorPlaneLayer {
 public:
  explicit FunctionLayer(Function function) : function_(std::move(function)) {}
  Flow Forward(Flow flow, const Tensor& input) const override { return function_(std::move(flow), input); }

 private:
  Function function_;
};
template <class Function>
PlaneLayerPtr Layer(Function function) {
  return std::make_unique<FunctionLayer<Function>>(std::move(function));
}

struct TensorBlock {
  TensorPlace place;
  PictureNorm norm1, norm2;
  TensorConv2d conv1, conv2, shortcut;  // the latter without weight: none

  Flow operator()(const Flow& flow, const Tensor&) const {
    const NormedPicture first = NormalizePicture(place, flow, norm1, true);
    const NormedPicture second = NormalizePicture(place, conv1(first.y), norm2, false);
    Flow y = conv2(second.y);
    if (!shortcut.weight.defined()) {
      y.skip = first.sum;
      return y;
    }
    const Flow beside = shortcut(first.sum);
    y.skip = beside.x;
    y.bias = Sum(y.bias, beside.bias);
    return y;
  }
};

// One head between all positions.
struct TensorPlaneAttention {
  TensorPlace place;
  PictureNorm norm;
  Tensor weight, bias;  // of queries, keys and values [3 * C, C], [3 * C]
  TensorConv2d out;

  Flow operator()(const Flow& flow, const Tensor&) const {
    const NormedPicture normed = NormalizePicture(place, flow, norm, true);
    const int64_t batch = normed.y.size(0), channels = normed.y.size(1), height = normed.y.size(2),
                  width = normed.y.size(3), positions = height * width;
    const Tensor rows = normed.y.flatten(2).transpose(1, 2);  // [B, positions, C]
    const auto parts = at::linear(rows, weight, bias).split(channels, 2);
    const Tensor keys = parts[1].transpose(1, 2);
    const double scale = 1 / std::sqrt(static_cast<double>(channels));
    const int64_t each = std::clamp(kScoresAtOnce / (batch * positions), int64_t{1}, positions);
    std::vector<Tensor> mixed;
    for (int64_t first = 0; first < positions; first += each) {
      const Tensor queries = parts[0].slice(1, first, std::min(first + each, positions));
      mixed.push_back(at::bmm(at::softmax(at::bmm(queries, keys).mul_(scale), 2), parts[2]));
    }
    const Tensor all = mixed.size() == 1 ? mixed.front() : at::cat(mixed, 1);
    const int64_t shape[] = {batch, channels, height, width};
    Flow y = out(all.transpose(1, 2).reshape(shape).contiguous(FormatOf(place)));
    y.skip = normed.sum;
    return y;
  }
};

// Whose weight and bias are linear functions of the deviations and the means of the input's channels.
struct TensorAdaptiveNorm {
  TensorPlace place;
  int64_t groups;
  Tensor gamma, gamma_bias, beta, beta_bias;  // float32 [C, style], [C]

  // Product by product, for a library's might depend on a picture's place in the batch.
  static Tensor Function(const Tensor& weight, const Tensor& bias, const Tensor& x) {
    return (weight * x.unsqueeze(1)).sum(2) + bias;
  }

  Flow operator()(const Flow& flow, const Tensor& input) const {
    const Tensor style = input.to(at::kFloat).flatten(2);
    const Tensor means = style.mean(2, /*keepdim=*/true);
    const auto others = static_cast<double>(std::max<int64_t>(style.size(2) - 1, 1));
    const Tensor deviations = ((style - means).square().sum(2) / others + kGroupEpsilon).sqrt();
    const PictureNorm norm{Function(gamma, gamma_bias, deviations),
                           Function(beta, beta_bias, means.squeeze(2)), groups, false};
    return {NormalizePicture(place, flow, norm, false).y};
  }
};

// Sums and differences of a square's values, see models/nn/haar.cc.
std::vector<Tensor> Cross(const Tensor& a, const Tensor& b, const Tensor& c, const Tensor& d) {
  return {(a + b) + (c + d), (a + b) - (c + d), (a - b) + (c - d), (a - b) - (c - d)};
}

Tensor Moved(PlaneMove move, const Tensor& x) {
  const int64_t batch = x.size(0), channels = x.size(1), height = x.size(2), width = x.size(3);
  if (move == PlaneMove::kDouble) return at::upsample_nearest2d(x, {2 * height, 2 * width});
  if (move == PlaneMove::kHaarSplit) {
    const auto at = [&](int64_t row, int64_t column) {
      return x.slice(2, row, height, 2).slice(3, column, width, 2);
    };
    return at::cat(Cross(at(0, 0), at(0, 1), at(1, 0), at(1, 1)), 1) * 0.25;
  }
  Tensor squares = x.reshape({batch, 4, channels / 4, height, width});
  if (move == PlaneMove::kHaarJoin) {
    const auto part = [&](int64_t i) { return squares.select(1, i); };
    squares = at::stack(Cross(part(0), part(1), part(2), part(3)), 1);
  }
  return squares.view({batch, 2, 2, channels / 4, height, width})
      .permute({0, 3, 4, 1, 5, 2})
      .reshape({batch, channels / 4, 2 * height, 2 * width});
}

class TensorPlaneMaker : public PlaneMaker {
 public:
  explicit TensorPlaneMaker(const TensorPlace& place) : place_(place) {}

  Result<PlaneLayerPtr> Conv(const Weights& weights, const std::string& name, size_t in, size_t out,
                             size_t kernel, const ConvOptions& options) const override {
    VQC_ASSIGN(auto conv, TensorConv2d::Load(place_, weights, name, in, out, kernel, options));
    return Layer([place = place_, conv = std::move(conv)](const Flow& flow, const Tensor&) {
      return conv(SettlePicture(place, flow));
    });
  }
  Result<PlaneLayerPtr> Norm(const Weights& weights, const std::string& name, size_t channels,
                             size_t groups) const override {
    VQC_ASSIGN(auto norm, LoadPictureNorm(place_, weights, name, channels, groups, true));
    return Layer([place = place_, norm = std::move(norm)](const Flow& flow, const Tensor&) {
      return Flow{NormalizePicture(place, flow, norm, false).y};
    });
  }
  Result<PlaneLayerPtr> AdaptiveNorm(const Weights& weights, const std::string& name, size_t style,
                                     size_t channels, size_t groups) const override {
    const int64_t in = Int(style), out = Int(channels);
    TensorAdaptiveNorm norm{place_, Int(groups), {}, {}, {}, {}};
    for (const auto& [part, weight, bias] :
         {std::tuple{".gamma", &norm.gamma, &norm.gamma_bias}, {".beta", &norm.beta, &norm.beta_bias}}) {
      VQC_ASSIGN(const auto values, weights(name + part + ".weight", {out, in}));
      VQC_ASSIGN(const auto added, weights(name + part + ".bias", {out}));
      *weight = place_.Floats(values).view({out, in});
      *bias = place_.Floats(added);
    }
    return Layer(std::move(norm));
  }
  Result<PlaneLayerPtr> Block(const Weights& weights, const std::string& name, size_t in, size_t out,
                              size_t groups, const ConvOptions& options) const override {
    TensorBlock block{place_, {}, {}, {}, {}, {}};
    VQC_ASSIGN(block.norm1, LoadPictureNorm(place_, weights, name + ".norm1", in, groups, true));
    VQC_ASSIGN(block.conv1, TensorConv2d::Load(place_, weights, name + ".conv1", in, out, 3, options));
    VQC_ASSIGN(block.norm2, LoadPictureNorm(place_, weights, name + ".norm2", out, groups, true));
    VQC_ASSIGN(block.conv2, TensorConv2d::Load(place_, weights, name + ".conv2", out, out, 3, options));
    if (in != out) {
      VQC_ASSIGN(block.shortcut,
                 TensorConv2d::Load(place_, weights, name + ".nin_shortcut", in, out, 1, options));
    }
    return Layer(std::move(block));
  }
  Result<PlaneLayerPtr> Attention(const Weights& weights, const std::string& name, size_t channels,
                                  size_t groups) const override {
    TensorPlaneAttention attention{place_, {}, {}, {}, {}};
    VQC_ASSIGN(attention.norm, LoadPictureNorm(place_, weights, name + ".norm", channels, groups, false));
    const int64_t wide = Int(channels);
    std::vector<Tensor> weight, bias;
    for (const char* part : {".q", ".k", ".v"}) {
      VQC_ASSIGN(const auto values, weights(name + part + ".weight", {wide, wide, 1, 1}));
      VQC_ASSIGN(const auto added, weights(name + part + ".bias", {wide}));
      weight.push_back(place_.Of(values, {wide, wide}));
      bias.push_back(place_.Of(added, {wide}));
    }
    attention.weight = at::cat(weight);
    attention.bias = at::cat(bias);
    VQC_ASSIGN(attention.out,
               TensorConv2d::Load(place_, weights, name + ".proj_out", channels, channels, 1, {}));
    return Layer(std::move(attention));
  }
  PlaneLayerPtr Move(PlaneMove move) const override {
    return Layer([place = place_, move](const Flow& flow, const Tensor&) {
      return Flow{Moved(move, SettlePicture(place, flow))};
    });
  }

 private:
  TensorPlace place_;
};

}  // namespace

std::unique_ptr<const PlaneMaker> MakeTensorPlanes(const TensorPlace& place) {
  return std::make_unique<TensorPlaneMaker>(place);
}

Tensor RunPlanes(const PlaneNetwork& network, const TensorPlace& place, const Tensor& input) {
  const Tensor x = input.to(place.type).contiguous(FormatOf(place));
  Flow flow{x};
  for (const PlaneLayerPtr& layer : network.Layers())
    flow = dynamic_cast<const TensorPlaneLayer&>(*layer).Forward(std::move(flow), x);
  return SettlePicture(place, flow);
}

}  // namespace vqc::nn
