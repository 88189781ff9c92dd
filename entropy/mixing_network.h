// SPDX-License-Identifier: Apache-2.0
// The small network beside the contexts of "mixing": one hidden layer a digit, from the digits around to log
// odds at every node. It sees sums over many neighbours, which no table of contexts can hold. Weights are 16
// bits in 1/4096, inputs and units in 1/256; it is fixed while coding and learned by the trainer alone.
//
//   features  [ bias 256 | digits around, -256 .. 256, 0 where there is none | padding | hidden units, 0 ..
//   1023 ] weights of a digit  [unit][kNetInputs], then [node][kNetFeatures]
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "entropy/digits.h"
#include "entropy/sequential_prior.h"

namespace vqc {

constexpr size_t kNetInputs = 48;
constexpr size_t kNetHidden = 32;
constexpr size_t kNetFeatures = kNetInputs + kNetHidden;
constexpr int32_t kNetMaxWeight = 4 * 4096;
constexpr int32_t kNetMaxUnit = 1023;

using NetFeatures = std::array<int16_t, kNetFeatures>;

constexpr uint32_t NetWeights(uint32_t nodes) {
  return static_cast<uint32_t>(kNetHidden * kNetInputs + nodes * kNetFeatures);
}

// Of a digit: the inputs from the step, the units from the weights. REQUIRES: no weight beyond kNetMaxWeight,
// which keeps every sum within 32 bits.
NetFeatures NetFeaturesOf(const DigitPlan& plan, const Step& step, const int16_t* weights);

// Log odds of a node in 1/256 nats.
inline int32_t NetOutput(const NetFeatures& features, const int16_t* weights, uint32_t node) {
  const int16_t* row = weights + kNetHidden * kNetInputs + node * kNetFeatures;
  int32_t sum = 0;
  for (size_t i = 0; i < kNetFeatures; ++i) sum += int32_t{row[i]} * features[i];
  return sum >> 12;
}

// Weights while they are learned: finer than those in use, by 4 bits.
struct NetLearner {
  std::vector<int32_t> fine;

  explicit NetLearner(std::span<const int16_t> weights);

  // One step down the gradient at the nodes of one digit. `error` is the bit, 65536 or 0, less its
  // probability; `rate` in 1/4096; `first` is the digit's first weight.
  struct NodeError {
    uint32_t node;
    int32_t error;
  };
  void Learn(const NetFeatures& features, std::span<const NodeError> errors, int32_t rate, size_t first,
             std::vector<int16_t>& weights);
};

}  // namespace vqc
