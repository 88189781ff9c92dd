// SPDX-License-Identifier: Apache-2.0
#include "entropy/neural_network.h"

#include <algorithm>
#include <cstdlib>
#include <string>

#include "entropy/digits.h"
#include "entropy/network_error.h"

namespace vqc {
namespace {

constexpr size_t kOutputs = 16;  // of a digit, kMaxRadix
constexpr int64_t kMaxUnit = (1 << kUnitBits) - 1;

Error Refuse(const std::string& what) { return NetworkError("neural", what); }

Status CheckSize(const char* what, size_t found, size_t needed) {
  return CheckNetworkSize("neural", what, found, needed);
}

Status CheckSizes(const NeuralShape& shape, const NeuralWeights& weights) {
  const size_t width = shape.width, digits = shape.Digits(), head = shape.head;
  size_t own = 0;
  for (uint32_t k = 0; k < digits; ++k) own += shape.FirstRow(k);
  VQC_TRY(
      CheckSize("window weights", weights.window.size(), size_t{shape.Neighbours()} * shape.Rows() * width));
  VQC_TRY(CheckSize("window biases", weights.window_bias.size(), width));
  VQC_TRY(CheckSize("hidden weights", weights.hidden.size(), shape.layers * width * width));
  VQC_TRY(CheckSize("hidden biases", weights.hidden_bias.size(), shape.layers * width));
  VQC_TRY(CheckSize("head weights", weights.head.size(), digits * head * width));
  VQC_TRY(CheckSize("weights of own digits", weights.own.size(), own * head));
  VQC_TRY(CheckSize("head biases", weights.head_bias.size(), digits * head));
  VQC_TRY(CheckSize("output weights", weights.out.size(), size_t{shape.Rows()} * head));
  return CheckSize("output biases", weights.out_bias.size(), shape.Rows());
}

// That no sum overflows, whatever the tokens are. Sums of 32 bits stay below (512 + 20 * 256) * 127 * 127 +
// 2^20, because weights are within +-127; those of 16 bits in the window depend on the weights.
Status ProveSums(const NeuralShape& shape, const NeuralWeights& weights) {
  for (const auto* layer : {&weights.window, &weights.hidden, &weights.head, &weights.own, &weights.out}) {
    if (std::find(layer->begin(), layer->end(), INT8_MIN) != layer->end())
      return Refuse("holds a weight of -128");
  }
  for (const auto* biases :
       {&weights.window_bias, &weights.hidden_bias, &weights.head_bias, &weights.out_bias}) {
    for (const int32_t bias : *biases) {
      if (bias < -kNeuralMaxBias || bias > kNeuralMaxBias) {
        return Refuse("holds a bias of " + std::to_string(bias) + ", allowed are +-" +
                      std::to_string(kNeuralMaxBias));
      }
    }
  }
  std::vector<int64_t> most(weights.window_bias.begin(), weights.window_bias.end());
  for (int64_t& sum : most) sum = std::abs(sum);
  const int8_t* row = weights.window.data();
  std::vector<int64_t> largest(shape.width);
  for (uint32_t n = 0; n < shape.Neighbours(); ++n) {
    for (const uint32_t radix : shape.radices) {
      std::fill(largest.begin(), largest.end(), 0);
      for (uint32_t value = 0; value < radix; ++value, row += shape.width) {
        for (size_t i = 0; i < shape.width; ++i) largest[i] = std::max<int64_t>(largest[i], std::abs(row[i]));
      }
      for (size_t i = 0; i < shape.width; ++i) most[i] += largest[i];
    }
  }
  const int64_t worst = *std::max_element(most.begin(), most.end());
  if (worst <= INT16_MAX) return {};
  return Refuse("has a sum over the window that can reach " + std::to_string(worst) + ", 16 bits hold " +
                std::to_string(INT16_MAX));
}

uint8_t Unit(int32_t sum, int shift) {
  return static_cast<uint8_t>(std::clamp<int32_t>((sum + (1 << (shift - 1))) >> shift, 0, kMaxUnit));
}

}  // namespace

Status CheckNeuralShape(const NeuralShape& shape) {
  const auto within = [](uint32_t value, uint32_t most) { return value >= 1 && value <= most; };
  const bool sizes = within(shape.radius, kNeuralMaxRadius) && within(shape.width, kNeuralMaxWidth) &&
                     shape.width % kNeuralBlock == 0 && shape.layers <= kNeuralMaxLayers &&
                     within(shape.head, kNeuralMaxHead) && shape.head % kNeuralBlock == 0 &&
                     shape.window_bits >= kNeuralMinWindowBits && shape.window_bits <= kNeuralMaxWindowBits;
  if (!sizes) {
    return Refuse("has a radius of " + std::to_string(shape.radius) + ", " + std::to_string(shape.width) +
                  " units, " + std::to_string(shape.layers) + " layers and heads of " +
                  std::to_string(shape.head) + ", window weights of " + std::to_string(shape.window_bits) +
                  " bits; allowed are up to 4, 512, 4 and 128, units in steps of 64, and 8 to 12 bits");
  }
  if (shape.radices.empty() || shape.radices.size() > kMaxDigits)
    return Refuse("is for tokens without digits");
  for (const uint32_t radix : shape.radices) {
    if (radix < 2 || radix > kMaxRadix) return Refuse("has a digit of " + std::to_string(radix) + " values");
  }
  return {};
}

Result<NeuralNetwork> NeuralNetwork::Make(const NeuralShape& shape, const NeuralWeights& weights) {
  VQC_TRY(CheckNeuralShape(shape));
  VQC_TRY(CheckSizes(shape, weights));
  VQC_TRY(ProveSums(shape, weights));
  NeuralNetwork network;
  network.shape_ = shape;
  network.kernels_ = &ChosenNeuralKernels();
  const size_t width = shape.width, head = shape.head;
  network.window_ = weights.window;
  network.window_bias_.assign(weights.window_bias.begin(), weights.window_bias.end());
  for (uint32_t i = 0; i < shape.layers; ++i) {
    PackProduct(&weights.hidden[i * width * width], width, width, width, network.hidden_);
  }
  network.hidden_bias_ = weights.hidden_bias;
  network.own_ = weights.own;
  network.head_bias_ = weights.head_bias;
  for (uint32_t k = 0; k < shape.Digits(); ++k) {
    PackProduct(&weights.head[k * head * width], head, head, width, network.head_);
    PackProduct(&weights.out[shape.FirstRow(k) * head], shape.radices[k], kOutputs, head, network.out_);
    const auto first = weights.out_bias.begin() + shape.FirstRow(k);
    network.out_bias_.insert(network.out_bias_.end(), first, first + shape.radices[k]);
    network.out_bias_.resize((k + 1) * kOutputs);
  }
  return network;
}

NeuralArrays NeuralNetwork::Arrays() const {
  return {shape_.Digits(),     shape_.radices.data(), shape_.radius,       shape_.width,
          shape_.layers,       shape_.head,           shape_.window_bits,  window_.data(),
          window_bias_.data(), hidden_.data(),        hidden_bias_.data(), head_.data(),
          head_bias_.data(),   own_.data(),           out_.data(),         out_bias_.data()};
}

void NeuralNetwork::Look(std::span<const uint32_t> rows, NeuralUnits& units) const {
  const size_t width = shape_.width;
  std::vector<const int8_t*> starts;
  starts.reserve(rows.size());
  for (const uint32_t row : rows) starts.push_back(&window_[row * width]);
  alignas(64) int16_t sums[kNeuralMaxWidth];
  std::copy(window_bias_.begin(), window_bias_.end(), sums);
  kernels_->add_rows(starts.data(), starts.size(), width, sums);
  for (size_t i = 0; i < width; ++i)
    units.units[i] = Unit(sums[i], static_cast<int>(shape_.window_bits) - kUnitBits);
  alignas(64) int32_t wide[kNeuralMaxWidth];
  for (uint32_t layer = 0; layer < shape_.layers; ++layer) {
    std::copy_n(&hidden_bias_[layer * width], width, wide);
    kernels_->product(&hidden_[layer * width * width], units.units, width, width, wide);
    for (size_t i = 0; i < width; ++i) units.units[i] = Unit(wide[i], kHiddenBits);
  }
}

void NeuralNetwork::Predict(const NeuralUnits& units, std::span<const uint32_t> values,
                            int32_t* logits) const {
  const size_t k = values.size(), head = shape_.head, width = shape_.width;
  alignas(64) int32_t sums[kNeuralMaxHead];
  alignas(64) uint8_t own_units[kNeuralMaxHead];
  std::copy_n(&head_bias_[k * head], head, sums);
  kernels_->product(&head_[k * head * width], units.units, head, width, sums);
  size_t first = 0;  // own row of this digit
  for (uint32_t j = 0; j < k; ++j) first += shape_.FirstRow(j);
  for (uint32_t j = 0; j < k; ++j) {
    const int8_t* row = &own_[(first + shape_.FirstRow(j) + values[j]) * head];
    for (size_t i = 0; i < head; ++i) sums[i] += int32_t{row[i]} * (1 << (kHeadBits + kUnitBits - kOwnBits));
  }
  for (size_t i = 0; i < head; ++i) own_units[i] = Unit(sums[i], kHeadBits);
  std::copy_n(&out_bias_[k * kOutputs], kOutputs, logits);
  kernels_->product(&out_[k * kOutputs * head], own_units, kOutputs, head, logits);
}

}  // namespace vqc
