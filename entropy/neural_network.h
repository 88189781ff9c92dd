// SPDX-License-Identifier: Apache-2.0
// The integer network of the prior "neural": from the tokens that are known around a token to the
// distribution of its digits, one after another. Weights are 8 bits, units 7, sums 32; the sums cannot
// overflow, which is proved when the weights are read.
//
//   units      sum over known neighbours and their digits of window[neighbour][digit value], clipped
//   units      hidden layers, clipped
//   of digit k sum of head_k * units and, over digits j < k of the same token, own_k[j][value], clipped
//   log odds   out_k * those
//
// A unit is 0 .. 127 in 1/128. It follows "Efficiently Updatable Neural Networks" (Nasu, 2018) in that the
// first layer is a sum of rows that a lookup gives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "entropy/cuda/part.h"
#include "entropy/neural_kernels.h"

namespace vqc {

// What a network is made of: the digits of a token, and its sizes.
struct NeuralShape {
  std::vector<uint32_t> radices;  // of a token's digits, in coding order
  uint32_t radius = 3;            // of the window: (2 radius + 1)^2 - 1 neighbours
  uint32_t width = 256;           // units of a layer, a multiple of 64
  uint32_t layers = 2;            // after the first
  uint32_t head = 64;             // units of each digit, a multiple of 64
  uint32_t window_bits = 8;       // window weights are in 1 / 2^window_bits, 8 to 12

  bool operator==(const NeuralShape&) const = default;
  uint32_t Side() const { return 2 * radius + 1; }
  uint32_t Digits() const { return static_cast<uint32_t>(radices.size()); }
  // Rows of all digits before digit k: where the rows of its values begin.
  uint32_t FirstRow(uint32_t k) const {
    uint32_t row = 0;
    for (uint32_t i = 0; i < k; ++i) row += radices[i];
    return row;
  }
  uint32_t Rows() const { return FirstRow(Digits()); }
  uint32_t Neighbours() const { return Side() * Side() - 1; }
};

constexpr uint32_t kNeuralMaxRadius = 4, kNeuralMaxWidth = 512, kNeuralMaxLayers = 4, kNeuralMaxHead = 128;
constexpr uint32_t kNeuralMinWindowBits = 8, kNeuralMaxWindowBits = 12;

// Powers of two by which real numbers are multiplied; units are in 1/128.
constexpr int kUnitBits = 7;
constexpr int kHiddenBits = 8;
constexpr int kHeadBits = 7;
constexpr int kOwnBits = 6;
constexpr int kOutBits = 4;
constexpr int32_t kNeuralMaxBias = 1 << 20;

// Biases are in the scale of the sums that they are added to.
struct NeuralWeights {
  std::vector<int8_t> window;        // [neighbour][row][width]
  std::vector<int32_t> window_bias;  // [width]
  std::vector<int8_t> hidden;        // [layer][to][from]
  std::vector<int32_t> hidden_bias;  // [layer][to]
  std::vector<int8_t> head;          // [digit][to][width]
  std::vector<int8_t> own;           // [digit][row of earlier digits][to]
  std::vector<int32_t> head_bias;    // [digit][to]
  std::vector<int8_t> out;           // [digit][value][head]
  std::vector<int32_t> out_bias;     // [digit][value]
};

// kModel when a size is out of bounds.
Status CheckNeuralShape(const NeuralShape& shape);

// What of a token with known neighbours does not depend on its own digits.
struct NeuralUnits {
  alignas(64) uint8_t units[kNeuralMaxWidth];
};

class NeuralNetwork {
 public:
  // kModel: a size out of bounds, weights of another number than the shape needs, or sums that could
  // overflow.
  static Result<NeuralNetwork> Make(const NeuralShape& shape, const NeuralWeights& weights);

  const NeuralShape& shape() const { return shape_; }
  // For other devices; lives as long as the network.
  NeuralArrays Arrays() const;
  // `kernels` are one of UsableNeuralKernels, which all give the same.
  void Use(const NeuralKernels& kernels) { kernels_ = &kernels; }

  // `rows` are those of the known neighbours' digits: neighbour * Rows() + FirstRow(digit) + value, each
  // digit of a neighbour at most once. Neighbours count row by row, without the token itself.
  void Look(std::span<const uint32_t> rows, NeuralUnits& units) const;

  // Logits of the values of digit values.size(), given the values of the digits before, in 1/2048 nats; 16
  // numbers are written.
  void Predict(const NeuralUnits& units, std::span<const uint32_t> values, int32_t* logits) const;

 private:
  NeuralShape shape_;
  const NeuralKernels* kernels_ = nullptr;
  std::vector<int8_t> window_, hidden_, head_, own_, out_;  // products packed as the kernels want them
  std::vector<int16_t> window_bias_;
  std::vector<int32_t> hidden_bias_, head_bias_, out_bias_;
};

}  // namespace vqc
