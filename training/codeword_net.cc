// SPDX-License-Identifier: Apache-2.0
#include "training/codeword_net.h"

#include <torch/torch.h>

#include <cmath>
#include <string>

namespace vqc {
namespace {

constexpr double kEmbedStart = 0.125;  // deviation of the numbers of codewords

// To the nearest of low .. high in 1 / 2^bits. The gradient passes where nothing is clipped.
class StepsFunction : public torch::autograd::Function<StepsFunction> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& x,
                               int64_t bits, int64_t low, int64_t high) {
    const double scale = std::ldexp(1.0, static_cast<int>(bits));
    const auto steps = (x * scale).add_(0.5).floor_();
    context->save_for_backward({torch::logical_and(steps >= low, steps <= high)});
    return steps.clamp(low, high).div_(scale);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    return {gradients[0] * context->get_saved_variables()[0], {}, {}, {}};
  }
};

torch::Tensor Units(const torch::Tensor& x) {
  return StepsFunction::apply(x, kCodewordUnitBits, 0, (1 << kCodewordUnitBits) - 1);
}

torch::Tensor Signed(const torch::Tensor& x, int bits) {
  return StepsFunction::apply(x, bits, -kCodewordVectorZero, kCodewordVectorZero - 1);
}

// Weights of 8 bits in 1 / 2^bits, all with a gradient.
torch::Tensor Rounded(const torch::Tensor& weight, int bits) {
  const double scale = std::ldexp(1.0, bits);
  return weight + ((weight * scale).round().clamp(-127, 127) / scale - weight).detach();
}

torch::Tensor Linear(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias,
                     int bits = kCodewordWeightBits) {
  const auto product = x.matmul(Rounded(weight, bits).t());
  return bias.defined() ? product + bias : product;
}

// [vocab, E] of deviation 1: the directions in which the codewords of all levels differ most, then noise.
std::vector<torch::Tensor> Directions(std::span<const torch::Tensor> meanings, const CodewordShape& shape) {
  std::vector<torch::Tensor> starts, spread;
  for (const uint32_t size : shape.vocab) starts.push_back(torch::randn({size, shape.embed}));
  if (meanings.empty()) return starts;
  for (const auto& meaning : meanings) spread.push_back(meaning / meaning.std().clamp_min(1e-12));
  const auto axes = std::get<2>(at::linalg_svd(torch::cat(spread), /*full_matrices=*/false));
  const int64_t count = std::min<int64_t>(shape.embed, axes.size(0));
  for (size_t l = 0; l < starts.size(); ++l)
    starts[l].slice(1, 0, count).copy_(spread[l].matmul(axes.slice(0, 0, count).t()));
  return starts;
}

}  // namespace

CodewordNetImpl::CodewordNetImpl(const CodewordShape& shape, std::span<const torch::Tensor> meanings,
                                 std::span<const torch::Tensor> biases)
    : shape_(shape) {
  const int64_t embed = shape.embed, width = shape.width, head = shape.head, seen = shape.frames * embed;
  const auto weight = [&](const std::string& name, int64_t to, int64_t from, double gain) {
    return register_parameter(name, torch::randn({to, from}) * gain / std::sqrt(static_cast<double>(from)));
  };
  const auto bias = [&](const std::string& name, int64_t to, double value) {
    return register_parameter(name, torch::full({to}, value));
  };
  first_ = weight("first", width, seen, 1.5);
  first_bias_ = bias("first_bias", width, 0.25);
  second_ = weight("second", width, width, 1);
  second_bias_ = bias("second_bias", width, 0.25);
  const auto starts = Directions(meanings, shape);
  for (size_t l = 0; l < shape.Levels(); ++l) {
    const std::string name = std::to_string(l);
    embed_.push_back(register_parameter("embed" + name, starts[l] * (4 * kEmbedStart)));
    bias_.push_back(register_parameter("bias" + name, biases[l].clone()));
    trunk_.push_back(weight("trunk" + name, head, width, 1));
    part_.push_back(weight("part" + name, head, embed, 1.5));
    head_bias_.push_back(bias("head_bias" + name, head, 0.25));
    out_.push_back(weight("out" + name, embed, head, 2));
    out_bias_.push_back(bias("out_bias" + name, embed, 0));
  }
}

// Parameters are four times the numbers of codewords, so that one learning rate fits all.
torch::Tensor CodewordNetImpl::Scale(size_t level) const {
  constexpr double kSteps = 1 << kCodewordSumBits;
  return (embed_[level].detach().abs().max() * (0.25 * kSteps / 127)).ceil().clamp(1, 127);
}

torch::Tensor CodewordNetImpl::forward(const torch::Tensor& codewords) {
  const size_t levels = shape_.Levels();
  const int64_t t = codewords.size(1);
  std::vector<torch::Tensor> meanings, vectors;  // integers / 128, and those times their scale
  for (size_t l = 0; l < levels; ++l) {
    const auto step = Scale(l) / (1 << kCodewordSumBits);
    const auto exact = embed_[l] * 0.25 / step;
    const auto steps = exact + (exact.round().clamp(-127, 127) - exact).detach();
    meanings.push_back(steps / (1 << kCodewordEmbedBits));
    vectors.push_back(
        torch::embedding(steps * step, codewords.select(2, static_cast<int64_t>(l))));  // [B, T, E]
  }
  torch::Tensor sum = torch::zeros_like(vectors[0]);
  std::vector<torch::Tensor> parts;
  for (const auto& vector : vectors) {
    parts.push_back(sum);
    sum = sum + vector;
  }
  const auto whole = Signed(sum, kCodewordVectorBits);
  std::vector<torch::Tensor> before;
  for (int64_t back = 1; back <= shape_.frames; ++back)
    before.push_back(at::constant_pad_nd(whole, {0, 0, back, 0}).slice(1, 0, t));
  const auto units =
      Units(Linear(Units(Linear(torch::cat(before, 2), first_, first_bias_)), second_, second_bias_));
  std::vector<torch::Tensor> bits;
  for (size_t l = 0; l < levels; ++l) {
    const auto hidden = Units(Linear(units, trunk_[l], head_bias_[l]) +
                              Linear(Signed(parts[l], kCodewordVectorBits), part_[l], {}));
    const auto query = Signed(Linear(hidden, out_[l], out_bias_[l], kCodewordOutBits), kCodewordQueryBits);
    const auto logits = query.matmul(meanings[l].t()) + bias_[l];
    const auto wanted = codewords.select(2, static_cast<int64_t>(l)).unsqueeze(2);
    bits.push_back((torch::logsumexp(logits, 2) - logits.gather(2, wanted).squeeze(2)) / std::log(2.0));
  }
  return torch::stack(bits, 2);
}

namespace {

template <class Integer>
void Append(std::vector<Integer>& to, const torch::Tensor& values, int bits, double limit) {
  const auto steps = (values.detach().to(torch::kCPU, torch::kFloat64) * std::ldexp(1.0, bits))
                         .round()
                         .clamp(-limit, limit)
                         .contiguous();
  for (int64_t i = 0; i < steps.numel(); ++i) to.push_back(static_cast<Integer>(steps.data_ptr<double>()[i]));
}

}  // namespace

CodewordWeights CodewordNetImpl::Export() const {
  const torch::NoGradGuard no_grad;
  CodewordWeights w;
  const auto bytes = [](std::vector<int8_t>& to, const torch::Tensor& values, int bits) {
    Append(to, values, bits, 127);
  };
  const auto biases = [](std::vector<int32_t>& to, const torch::Tensor& values, int bits) {
    Append(to, values, bits, kCodewordMaxBias);
  };
  constexpr int kUnitSum = kCodewordWeightBits + kCodewordUnitBits;
  bytes(w.first, first_, kCodewordWeightBits);
  bytes(w.second, second_, kCodewordWeightBits);
  biases(w.first_bias, first_bias_, kCodewordWeightBits + kCodewordVectorBits);
  biases(w.second_bias, second_bias_, kUnitSum);
  for (size_t l = 0; l < shape_.Levels(); ++l) {
    const auto scale = Scale(l).item<double>();
    w.scale.push_back(static_cast<uint8_t>(scale));
    bytes(w.embed, embed_[l] * (0.25 / scale), kCodewordSumBits);
    Append(w.bias, bias_[l] - bias_[l].max(), kCodewordLogitBits, 32767);
    bytes(w.trunk, trunk_[l], kCodewordWeightBits);
    bytes(w.part, part_[l], kCodewordWeightBits);
    bytes(w.out, out_[l], kCodewordOutBits);
    biases(w.head_bias, head_bias_[l], kUnitSum);
    biases(w.out_bias, out_bias_[l], kCodewordOutBits + kCodewordUnitBits);
  }
  return w;
}

}  // namespace vqc
