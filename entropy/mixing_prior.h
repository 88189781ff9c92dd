// SPDX-License-Identifier: Apache-2.0
// "mixing": context mixing. Each digit is a few yes/no decisions; for each, many views of the tokens before
// (entropy/mixing_contexts.h) give a probability of their own, and a logistic mixer with trained weights
// makes one of them. All integer: equal on every machine. Cost: about 2 us a digit.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "entropy/mixing_state.h"
#include "entropy/priors.h"
#include "entropy/sequential_prior.h"

namespace vqc {

constexpr int32_t kMixingChunkRate = 2;  // of the weights while coding, in 1/4096

// Predicts and learns in `state`, which the trainer keeps from map to map and a prior copies for its chunk.
class MixingPredictor {
 public:
  explicit MixingPredictor(const MixingLayout& layout) : layout_(layout) {}

  // Of the nodes of the next digit, log odds in 1/256 nats. Needed before each where the layout has an
  // expert; not copied.
  void Hear(const int32_t* expert) { expert_ = expert; }

  void StartChunk() { fresh_.assign(layout_.fresh_slots, kEmptySlot); }
  void Predict(const MixingState& state, const Step& step, FrequencyTable& table);
  // REQUIRES: follows Predict of the same step. `rate` / 4096 is the learning rate of the weights.
  void Update(MixingState& state, const Step& step, uint32_t value, int32_t rate);
  // Predict and Update at once for the trainer, which knows the value; the network learns too.
  void Learn(MixingState& state, NetLearner& network, const Step& step, uint32_t value, int32_t rate);

 private:
  static constexpr size_t kMaxNodes = kMaxRadix - 1;
  struct Node {
    std::array<int32_t, kContexts + 1> inputs;    // log odds in 1/256 nats
    std::array<uint32_t, kContexts + 1> weights;  // index of each input's weight
    int32_t probability;                          // of the upper half, 16 bits
  };
  void Enter(const MixingState& state, const Step& step);
  void Evaluate(const MixingState& state, const MixingDigit& digit, uint32_t node);
  void Adjust(MixingState& state, uint32_t node, bool upper, int32_t rate);

  const MixingLayout& layout_;
  const int32_t* expert_ = nullptr;
  std::vector<uint32_t> fresh_;
  std::array<uint32_t, kContexts> rows_{};  // first slot of each context's row
  NetFeatures features_{};
  std::array<Node, kMaxNodes> nodes_{};
};

// Empty tables: not trained, every chunk starts from nothing.
Result<std::shared_ptr<const PriorModel>> MakeMixingPrior(const Factors& factors,
                                                          std::span<const uint8_t> tables);
Result<std::unique_ptr<PriorTrainer>> MakeMixingTrainer(const Factors& factors);

// The schedule of training: two passes over `maps` token maps in a fixed mixed order; the second starts the
// statistics anew and keeps the weights. `replay` learns map i at a rate of the weights in 1/4096.
Status LearnMixing(const MixingLayout& layout, MixingState& state, size_t maps,
                   const std::function<Status(size_t i, int32_t rate)>& replay);

}  // namespace vqc
