// SPDX-License-Identifier: Apache-2.0
#include "training/prior_network.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>

namespace vqc {
namespace {

// Forward the rounded value, backward as if it were not rounded.
torch::Tensor Straight(const torch::Tensor& exact, const torch::Tensor& rounded) {
  return exact + (rounded - exact).detach();
}

// Weights of 8 bits in 1 / 2^bits.
torch::Tensor Rounded(const torch::Tensor& weight, int bits) {
  const double scale = std::ldexp(1.0, bits);
  return Straight(weight, (weight * scale).round().clamp(-127, 127) / scale);
}

torch::Tensor RoundedBias(const torch::Tensor& bias, int bits) {
  const double scale = std::ldexp(1.0, bits);
  return Straight(bias, (bias * scale).round() / scale);
}

// Clipped units of 7 bits, of the type that they are used in. The gradient passes where nothing is clipped.
class UnitFunction : public torch::autograd::Function<UnitFunction> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& sum,
                               torch::ScalarType type) {
    constexpr double kScale = 1 << kUnitBits;
    context->save_for_backward({torch::logical_and(sum > 0, sum < 1)});
    return (sum * kScale).add_(0.5).floor_().clamp_(0, kScale - 1).div_(kScale).to(type);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto passes = context->get_saved_variables()[0];
    return {gradients[0].to(torch::kFloat32).mul_(passes), {}};
  }
};

}  // namespace

PriorNetworkImpl::PriorNetworkImpl(const NeuralShape& shape, torch::Dtype compute)
    : shape_(shape), compute_(compute) {
  const int64_t n = int64_t{shape.Side()} * shape.Side(), rows = shape.Rows(), width = shape.width;
  const int64_t digits = shape.Digits(), head = shape.head;
  const int64_t most = *std::max_element(shape.radices.begin(), shape.radices.end());
  const auto weights = [&](const char* name, at::IntArrayRef sizes, double deviation) {
    return register_parameter(name, torch::randn(sizes) * deviation);
  };
  const auto bias = [&](const std::string& name, at::IntArrayRef sizes, double value) {
    return register_parameter(name, torch::full(sizes, value));
  };
  window_ = weights("window", {n, 2 * digits + 1, width}, 0.4 / std::sqrt(static_cast<double>(n * digits)));
  window_bias_ = bias("window_bias", {width}, 0.25);
  for (uint32_t i = 0; i < shape.layers; ++i) {
    const std::string name = "hidden" + std::to_string(i);
    hidden_.push_back(weights(name.c_str(), {width, width}, 1 / std::sqrt(static_cast<double>(width))));
    hidden_bias_.push_back(bias(name + "_bias", {width}, 0.25));
  }
  head_ = weights("head", {width, digits * head}, 1 / std::sqrt(static_cast<double>(width)));
  own_ = weights("own", {rows, digits * head}, 0.1);
  head_bias_ = bias("head_bias", {digits * head}, 0.25);
  out_ = weights("out", {digits, head, most}, 1 / std::sqrt(static_cast<double>(head)));
  out_bias_ = bias("out_bias", {digits, most}, 0);
  auto mask = torch::zeros({rows, digits, head});
  auto absent = torch::zeros({digits, most});
  for (int64_t k = 0; k < digits; ++k) {
    mask.slice(0, 0, shape.FirstRow(static_cast<uint32_t>(k))).select(1, k).fill_(1);
    absent[k].slice(0, shape.radices[static_cast<size_t>(k)], most).fill_(-1e9);
  }
  // A digit in [-1, 1], its square less the mean of that, and, once a token, 1.
  auto features = torch::zeros({rows, 2 * digits + 1});
  for (int64_t k = 0; k < digits; ++k) {
    const uint32_t radix = shape.radices[static_cast<size_t>(k)];
    for (uint32_t value = 0; value < radix; ++value) {
      const double centred = (2.0 * value - (radix - 1)) / (radix - 1);
      const int64_t row = shape.FirstRow(static_cast<uint32_t>(k)) + value;
      features[row][k] = centred;
      features[row][digits + k] = 1.5 * (centred * centred - 0.4);
      features[row][2 * digits] = k == 0 ? 1 : 0;
    }
  }
  features_ = register_buffer("features", features);
  own_mask_ = register_buffer("own_mask", mask.view({rows, digits * head}));
  absent_ = register_buffer("absent", absent);
}

// [B * h * w, N * F]: the features of the neighbours that are known.
torch::Tensor PriorNetworkImpl::Neighbours(const torch::Tensor& one_hot, const torch::Tensor& times) const {
  const auto features = one_hot.matmul(features_.to(compute_));
  const int64_t r = shape_.radius, side = shape_.Side();
  const auto unfold = [&](const torch::Tensor& map) { return map.unfold(1, side, 1).unfold(2, side, 1); };
  const auto late = torch::constant_pad_nd(times, {r, r, r, r}, INT32_MAX);
  const auto known = unfold(late) < times.unsqueeze(-1).unsqueeze(-1);  // [B, h, w, side, side]
  const auto around = unfold(torch::constant_pad_nd(features, {0, 0, r, r, r, r}, 0));
  // [B, h, w, side, side, F]
  const auto seen = around.permute({0, 1, 2, 4, 5, 3}) * known.unsqueeze(-1).to(compute_);
  return seen.reshape({times.numel(), side * side * features.size(3)});
}

torch::Tensor PriorNetworkImpl::forward(const torch::Tensor& digits, const torch::Tensor& times) {
  const int64_t count = times.numel(), d = shape_.Digits(), head = shape_.head;
  std::vector<torch::Tensor> parts;
  for (int64_t k = 0; k < d; ++k) {
    parts.push_back(torch::one_hot(digits.select(3, k), shape_.radices[static_cast<size_t>(k)]));
  }
  const auto one_hot = torch::cat(parts, 3).to(compute_);
  const auto product = [&](const torch::Tensor& x, const torch::Tensor& w) {
    return x.matmul(w.to(compute_)).to(torch::kFloat32);
  };
  const auto unit = [&](const torch::Tensor& sum) { return UnitFunction::apply(sum, compute_); };
  const auto seen = Neighbours(one_hot, times);
  auto units = unit(product(seen, window_.view({seen.size(1), shape_.width})) + window_bias_);
  for (size_t i = 0; i < hidden_.size(); ++i) {
    units = unit(product(units, Rounded(hidden_[i], kHiddenBits)) +
                 RoundedBias(hidden_bias_[i], kHiddenBits + kUnitBits));
  }
  const auto own = product(one_hot.view({count, -1}), Rounded(own_, kOwnBits) * own_mask_);
  const auto heads =
      unit(product(units, Rounded(head_, kHeadBits)) + own + RoundedBias(head_bias_, kHeadBits + kUnitBits));
  // [D, count, R]
  const auto logits =
      torch::bmm(heads.view({count, d, head}).transpose(0, 1), Rounded(out_, kOutBits).to(compute_))
          .to(torch::kFloat32) +
      (RoundedBias(out_bias_, kOutBits + kUnitBits) + absent_).unsqueeze(1);
  const auto values = digits.view({count, d}).transpose(0, 1).unsqueeze(2);
  const auto bits = -torch::log_softmax(logits, 2).gather(2, values) / std::log(2.0);
  return bits.squeeze(2).transpose(0, 1).reshape(digits.sizes());
}

namespace {

template <class Integer>
std::vector<Integer> Integers(const torch::Tensor& weight, int bits, double limit) {
  const auto values =
      (weight.detach().to(torch::kCPU, torch::kFloat64) * std::ldexp(1.0, bits)).round().clamp(-limit, limit);
  const auto flat = values.contiguous();
  const auto* data = flat.data_ptr<double>();
  std::vector<Integer> integers;
  for (int64_t i = 0; i < flat.numel(); ++i) integers.push_back(static_cast<Integer>(data[i]));
  return integers;
}

std::vector<int8_t> Bytes(const torch::Tensor& weight, int bits) {
  return Integers<int8_t>(weight, bits, 127);
}

std::vector<int32_t> Biases(const torch::Tensor& bias, int bits) {
  return Integers<int32_t>(bias, bits, kNeuralMaxBias);
}

template <class Integer>
void Append(std::vector<Integer>& to, const std::vector<Integer>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

// [N - 1, S, H]: what each value of a neighbour's digit adds.
torch::Tensor PriorNetworkImpl::WindowRows() const {
  const int64_t n = window_.size(0);
  const auto rows = torch::matmul(features_, window_);
  return torch::cat({rows.slice(0, 0, n / 2), rows.slice(0, n / 2 + 1, n)});
}

NeuralWeights PriorNetworkImpl::Export(NeuralShape& shape) const {
  torch::NoGradGuard no_grad;
  const int64_t d = shape_.Digits(), head = shape_.head;
  NeuralWeights weights;
  const auto rows = WindowRows();
  const double most = rows.abs().max().item<double>();
  uint32_t bits = kNeuralMinWindowBits;
  while (bits < kNeuralMaxWindowBits && std::ldexp(most, static_cast<int>(bits) + 1) <= 127) ++bits;
  shape.window_bits = bits;
  weights.window = Bytes(rows, static_cast<int>(bits));
  weights.window_bias = Biases(window_bias_, static_cast<int>(bits));
  for (size_t i = 0; i < hidden_.size(); ++i) {
    Append(weights.hidden, Bytes(hidden_[i].t(), kHiddenBits));
    Append(weights.hidden_bias, Biases(hidden_bias_[i], kHiddenBits + kUnitBits));
  }
  weights.head = Bytes(head_.t(), kHeadBits);
  for (int64_t k = 0; k < d; ++k) {
    const auto before = own_.slice(0, 0, shape_.FirstRow(static_cast<uint32_t>(k)));
    Append(weights.own, Bytes(before.slice(1, k * head, (k + 1) * head), kOwnBits));
    const int64_t radix = shape_.radices[static_cast<size_t>(k)];
    Append(weights.out, Bytes(out_[k].slice(1, 0, radix).t(), kOutBits));
    Append(weights.out_bias, Biases(out_bias_[k].slice(0, 0, radix), kOutBits + kUnitBits));
  }
  weights.head_bias = Biases(head_bias_, kHeadBits + kUnitBits);
  return weights;
}

}  // namespace vqc
