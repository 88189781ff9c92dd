// SPDX-License-Identifier: Apache-2.0
#include "entropy/neural_prior.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "entropy/mixing_prior.h"
#include "entropy/neural_conceal.h"
#include "entropy/neural_expert.h"
#include "entropy/sequential_prior.h"
#include "entropy/token_coder.h"

namespace vqc {
namespace {

struct Model {
  TableHead head;
  MixingLayout layout;
  MixingState mixing;
  std::shared_ptr<const NeuralNetwork> network;
};

class NeuralPrior final : public SequentialPrior {
 public:
  explicit NeuralPrior(std::shared_ptr<const Model> model)
      : SequentialPrior(model->head.factors),
        model_(std::move(model)),
        expert_(model_->network),
        predictor_(model_->layout) {}

  Status SkipTo(uint32_t token) override {
    expert_.SkipTo(token);
    return SequentialPrior::SkipTo(token);
  }

 protected:
  Status Start(const TokenShape& shape, const DigitPlan& plan) override {
    if (plan != model_->layout.plan) {
      return Error{ErrorCode::kModel,
                   "the prior \"neural\" was trained for another vocabulary than that of these tokens"};
    }
    state_ = model_->mixing;
    expert_.Begin(shape);
    predictor_.StartChunk();
    return {};
  }
  void Predict(const Step& step, FrequencyTable& table) override {
    LogOddsOf(expert_.Predict(), step.info->radix, heard_.data());
    predictor_.Hear(heard_.data());
    predictor_.Predict(state_, step, table);
  }
  void Update(const Step& step, uint32_t value) override {
    predictor_.Update(state_, step, value, kMixingChunkRate);
    expert_.Observe(value);
  }

 private:
  std::shared_ptr<const Model> model_;
  NeuralExpert expert_;
  MixingPredictor predictor_;
  MixingState state_;
  std::array<int32_t, kMaxRadix> heard_{};
};

class NeuralModel final : public PriorModel {
 public:
  explicit NeuralModel(std::shared_ptr<const Model> model) : model_(std::move(model)) {}
  std::unique_ptr<Prior> NewPrior() const override { return std::make_unique<NeuralPrior>(model_); }
  Status Conceal(Tokens& tokens, std::span<const uint8_t> lost) const override {
    VQC_TRY(CheckTablePlan(kNeuralTables, model_->layout.plan, model_->head.factors, tokens.vocab));
    ConcealWith(*model_->network, model_->layout.plan[0], tokens, lost);
    return {};
  }

 private:
  std::shared_ptr<const Model> model_;
};

// What the network says of a map is known before.
class Learner final : public SequentialPrior {
 public:
  Learner(const Factors& factors, const MixingLayout& layout, MixingState& state)
      : SequentialPrior(factors), predictor_(layout), unused_({}), state_(state) {}
  void Set(const std::vector<int16_t>& log_odds, int32_t rate) {
    next_ = log_odds.data();
    rate_ = rate;
  }

 protected:
  Status Start(const TokenShape&, const DigitPlan&) override {
    predictor_.StartChunk();
    return {};
  }
  void Predict(const Step&, FrequencyTable&) override {}
  void Update(const Step& step, uint32_t value) override {
    const size_t nodes = step.info->radix - 1;
    std::copy_n(next_, nodes, heard_.begin());
    next_ += nodes;
    predictor_.Hear(heard_.data());
    predictor_.Learn(state_, unused_, step, value, rate_);
  }

 private:
  MixingPredictor predictor_;
  NetLearner unused_;
  MixingState& state_;
  const int16_t* next_ = nullptr;  // log odds of the next digit's nodes
  int32_t rate_ = 0;
  std::array<int32_t, kMaxRadix> heard_{};
};

// Weights of a network that was never trained: small numbers without a pattern.
NeuralWeights ArbitraryWeights(const NeuralShape& shape) {
  uint32_t state = 1;
  const auto fill = [&state](auto& weights, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      state = state * 1664525u + 1013904223u;
      weights.push_back(static_cast<int8_t>(static_cast<int32_t>(state >> 27) - 16));
    }
  };
  NeuralWeights w;
  const size_t width = shape.width, digits = shape.Digits(), head = shape.head;
  fill(w.window, size_t{shape.Neighbours()} * shape.Rows() * width);
  fill(w.hidden, shape.layers * width * width);
  fill(w.head, digits * head * width);
  for (uint32_t k = 0; k < digits; ++k) fill(w.own, shape.FirstRow(k) * head);
  fill(w.out, shape.Rows() * head);
  fill(w.window_bias, width);
  fill(w.hidden_bias, shape.layers * width);
  fill(w.head_bias, digits * head);
  fill(w.out_bias, shape.Rows());
  return w;
}

class MixerTrainer final : public PriorTrainer {
 public:
  explicit MixerTrainer(Factors factors) : factors_(std::move(factors)) {}

  Status Add(const Tokens& tokens) override {
    VQC_TRY(CheckTokens(tokens));
    if (!maps_.empty() && tokens.vocab != maps_[0].vocab) {
      return Error{ErrorCode::kInput, "token maps of different vocabularies cannot train one prior"};
    }
    maps_.push_back(tokens);
    return {};
  }
  Result<std::vector<uint8_t>> Finish() override {
    if (maps_.empty()) return Error{ErrorCode::kInput, "a prior cannot be trained without token maps"};
    VQC_ASSIGN(NeuralShape shape, NeuralShapeFor({factors_, maps_[0].vocab}));
    shape.radius = 1;
    shape.width = shape.head = kNeuralBlock;
    shape.layers = 1;
    return FinishNeuralPrior(factors_, shape, ArbitraryWeights(shape), maps_);
  }

 private:
  Factors factors_;
  std::vector<Tokens> maps_;
};

}  // namespace

Result<std::unique_ptr<PriorTrainer>> MakeNeuralTrainer(const Factors& factors) {
  return std::unique_ptr<PriorTrainer>(std::make_unique<MixerTrainer>(factors));
}

Result<std::shared_ptr<const PriorModel>> MakeNeuralPrior(const Factors& factors,
                                                          std::span<const uint8_t> bytes) {
  VQC_ASSIGN(auto tables, ReadNeuralTables(bytes));
  VQC_TRY(CheckTablePlan(kNeuralTables, tables.layout.plan, factors, tables.head.vocab));
  VQC_ASSIGN(auto network, NeuralNetwork::Make(tables.shape, tables.weights));
  auto model = std::make_shared<const Model>(
      Model{std::move(tables.head), std::move(tables.layout), std::move(tables.mixing),
            std::make_shared<const NeuralNetwork>(std::move(network))});
  return std::shared_ptr<const PriorModel>(std::make_shared<NeuralModel>(std::move(model)));
}

Result<std::vector<uint8_t>> FinishNeuralPrior(const Factors& factors, const NeuralShape& shape,
                                               NeuralWeights weights, std::span<const Tokens> maps,
                                               const NeuralPlace& place) {
  if (maps.empty()) return Error{ErrorCode::kInput, "a prior cannot be trained without token maps"};
  for (const Tokens& map : maps) VQC_TRY(CheckTokens(map));
  NeuralTables tables;
  tables.head = {factors, maps[0].vocab};
  tables.shape = shape;
  VQC_ASSIGN(auto made, NeuralNetwork::Make(shape, weights));
  const auto network = std::make_shared<const NeuralNetwork>(std::move(made));
  tables.weights = std::move(weights);
  VQC_ASSIGN(auto plan, MakeDigitPlan(factors, maps[0].vocab));
  auto heard = NeuralMaps::Make(network, plan[0], place);
  if (!heard.ok()) heard = NeuralMaps::Make(network, plan[0], {place.threads});
  VQC_ASSIGN(const auto log_odds, heard->LogOdds(maps));
  tables.layout = MixingLayout::For(std::move(plan), /*expert=*/true);
  tables.mixing = MixingState::Cold(tables.layout);
  Learner learner(factors, tables.layout, tables.mixing);
  const auto replay = [&](size_t i, int32_t rate) -> Status {
    learner.Set(log_odds[i], rate);
    return Replay(learner, maps[i]);
  };
  VQC_TRY(LearnMixing(tables.layout, tables.mixing, maps.size(), replay));
  return WriteNeuralTables(tables);
}

}  // namespace vqc
