// SPDX-License-Identifier: Apache-2.0
#include "models/nn/tensor_convs.h"

#include <torch/torch.h>

#include <algorithm>
#include <utility>

#include "models/nn/tensor_layer.h"

namespace vqc::nn {
namespace {

using at::Tensor;

constexpr float kLeastAlpha = 1e-9f;  // of models/nn/dac.cc

Result<Tensor> LoadBias(const TensorPlace& place, const Weights& weights, const std::string& name,
                        size_t count, bool wanted) {
  if (!wanted) return Tensor();
  VQC_ASSIGN(const auto values, weights(name + ".bias", {Int(count)}));
  return place.Floats(values);
}

class TensorConv : public TensorLayer {
 public:
  TensorConv(const TensorPlace& place, const ConvShape& shape, Tensor weight, Tensor bias)
      : place_(place), shape_(shape), weight_(std::move(weight)), bias_(std::move(bias)) {
    if (shape_.depthwise && shape_.stride == 1) by_channel_ = weight_.to(at::kFloat).flatten(1).contiguous();
  }

  Flow Forward(Flow flow) const override {
    const int64_t rows = flow.x.size(3), stride = Int(shape_.stride), span = Int(shape_.Span()),
                  left = Int(shape_.left), windows = (rows + stride - 1) / stride,
                  right = std::max<int64_t>((windows - 1) * stride + span - rows - left, 0);
    if (by_channel_.defined()) {
      const Tensor y =
          SettleDepthwise(place_, flow, {left, right, shape_.padding}, by_channel_, Int(shape_.dilation));
      if (y.defined()) return {.x = y.narrow(3, 0, windows), .bias = bias_};
    }
    // The convolution itself puts zeros on both sides, as many on each.
    const bool own = shape_.padding == Padding::kZeros && left == right;
    const Margins margins = own ? Margins{} : Margins{left, right, shape_.padding};
    const Tensor x = Settle(place_, std::move(flow), margins);
    const int64_t strides[] = {1, stride}, beside[] = {0, own ? left : 0},
                  dilation[] = {1, Int(shape_.dilation)};
    const Tensor y =
        at::conv2d(x, weight_, {}, strides, beside, dilation, shape_.depthwise ? Int(shape_.in) : 1);
    return {.x = y.narrow(3, 0, windows), .bias = bias_};
  }

 private:
  TensorPlace place_;
  ConvShape shape_;
  Tensor weight_, bias_;
  Tensor by_channel_;  // [C, kernel] in float32, of a depthwise convolution
};

// As a convolution to `stride` rows side by side, which are then put behind one another: the deterministic
// transposes that libraries have are several times slower. Those of single channels stay what they are.
class TensorTransposedConv : public TensorLayer {
 public:
  TensorTransposedConv(const TensorPlace& place, const TransposedConvShape& shape, Tensor weight, Tensor bias)
      : place_(place), shape_(shape), weight_(std::move(weight)), bias_(std::move(bias)) {}

  Flow Forward(Flow flow) const override {
    const int64_t left = Int(shape_.trim_left), right = Int(shape_.trim_right), both = std::min(left, right);
    const Tensor x = Settle(place_, std::move(flow));
    if (!shape_.depthwise) {
      const int64_t rows = x.size(3), stride = Int(shape_.stride), before = weight_.size(3) - 1,
                    beside[] = {0, before}, ones[] = {1, 1};
      const Tensor y = at::conv2d(x, weight_, {}, ones, beside)
                           .view({x.size(0), -1, stride, rows + before})
                           .transpose(2, 3)
                           .reshape({x.size(0), -1, 1, (rows + before) * stride});
      return {.x = y.narrow(3, left, (rows - 1) * stride + Int(shape_.kernel) - left - right), .bias = bias_};
    }
    const int64_t strides[] = {1, Int(shape_.stride)}, trimmed[] = {0, both}, more[] = {0, 0};
    const Tensor y =
        at::conv_transpose2d(x, weight_, {}, strides, trimmed, more, shape_.depthwise ? Int(shape_.in) : 1);
    return {.x = y.narrow(3, left - both, y.size(3) - (left - both) - (right - both)), .bias = bias_};
  }

 private:
  TensorPlace place_;
  TransposedConvShape shape_;
  Tensor weight_, bias_;
};

class TensorActivation : public TensorLayer {
 public:
  TensorActivation(const TensorPlace& place, Activation activation)
      : place_(place), activation_(std::move(activation)) {}

  Flow Forward(Flow flow) const override {
    if (flow.activation) flow = {Settle(place_, std::move(flow))};
    flow.activation = &activation_;
    return flow;
  }

 private:
  TensorPlace place_;
  Activation activation_;
};

class TensorLstm : public TensorLayer {
 public:
  TensorLstm(const TensorPlace& place, torch::nn::LSTM lstm) : place_(place), lstm_(std::move(lstm)) {}

  Flow Forward(Flow flow) const override {
    const Tensor x = Settle(place_, std::move(flow)).squeeze(2).permute({2, 0, 1}).contiguous();
    auto lstm = lstm_;  // a handle; the module itself does not change
    const Tensor y = std::get<0>(lstm->forward(x));
    return {y.permute({1, 2, 0}).unsqueeze(2)};
  }

 private:
  TensorPlace place_;
  torch::nn::LSTM lstm_;
};

}  // namespace

Result<LayerPtr> LoadTensorConv(const TensorPlace& place, const Weights& weights, const std::string& name,
                                const ConvShape& shape) {
  const int64_t out = Int(shape.out), in = shape.depthwise ? 1 : Int(shape.in), kernel = Int(shape.kernel);
  VQC_ASSIGN(const auto values, weights(name + ".weight", {out, in, kernel}));
  VQC_ASSIGN(auto bias, LoadBias(place, weights, name, shape.out, shape.bias));
  return LayerPtr(std::make_unique<TensorConv>(place, shape, place.Of(values, {out, in, 1, kernel}), bias));
}

Result<LayerPtr> LoadTensorTransposedConv(const TensorPlace& place, const Weights& weights,
                                          const std::string& name, const TransposedConvShape& shape) {
  const int64_t in = Int(shape.in), out = shape.depthwise ? 1 : Int(shape.out), kernel = Int(shape.kernel);
  VQC_ASSIGN(const auto values, weights(name + ".weight", {in, out, kernel}));
  VQC_ASSIGN(auto bias, LoadBias(place, weights, name, shape.out, shape.bias));
  Tensor weight = place.Of(values, {in, out, 1, kernel});
  if (!shape.depthwise) {
    // [out * stride, in, 1, taps], the tap of the latest row last.
    const int64_t stride = Int(shape.stride), taps = (kernel + stride - 1) / stride;
    weight = at::constant_pad_nd(weight, {0, taps * stride - kernel})
                 .view({in, out, taps, stride})
                 .flip(2)
                 .permute({1, 3, 0, 2})
                 .reshape({out * stride, in, 1, taps});
  }
  return LayerPtr(std::make_unique<TensorTransposedConv>(place, shape, std::move(weight), bias));
}

LayerPtr MakeTensorActivation(const TensorPlace& place, Activation activation) {
  return std::make_unique<TensorActivation>(place, std::move(activation));
}

Result<LayerPtr> LoadTensorSnake(const TensorPlace& place, const Weights& weights, const std::string& name,
                                 size_t channels) {
  VQC_ASSIGN(const auto alpha, weights(name + ".alpha", {1, Int(channels), 1}));
  std::vector<float> inverse;
  for (const float a : alpha) inverse.push_back(1 / (a + kLeastAlpha));
  return MakeTensorActivation(place, {ActivationKind::kSnake, place.Floats(alpha), place.Floats(inverse)});
}

Result<LayerPtr> LoadTensorLstm(const TensorPlace& place, const Weights& weights, const std::string& name,
                                size_t width, size_t layers) {
  const int64_t wide = Int(width);
  const at::NoGradGuard no_grad;
  torch::nn::LSTM lstm(torch::nn::LSTMOptions(wide, wide).num_layers(Int(layers)));
  for (auto& parameter : lstm->named_parameters()) {
    const std::vector<int64_t> shape = parameter.value().sizes().vec();
    VQC_ASSIGN(const auto values, weights(name + "." + parameter.key(), shape));
    std::copy(values.begin(), values.end(), parameter.value().data_ptr<float>());
  }
  lstm->to(place.device, place.type);
  lstm->eval();
  return LayerPtr(std::make_unique<TensorLstm>(place, std::move(lstm)));
}

}  // namespace vqc::nn
