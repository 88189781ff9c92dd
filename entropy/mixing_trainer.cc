// SPDX-License-Identifier: Apache-2.0
// Trains "mixing" as it is used: every token is predicted before it is learned, so that the weights see how
// far statistics can be trusted on tokens they were not taken from. The second pass starts the statistics
// anew and keeps the weights.
#include <numeric>
#include <utility>

#include "entropy/mixing_prior.h"
#include "entropy/token_coder.h"

namespace vqc {
namespace {

constexpr int kPasses = 2;
constexpr int32_t kFirstRate = 24, kLastRate = 2;  // of the weights, in 1/4096

class Learner final : public SequentialPrior {
 public:
  Learner(const Factors& factors, const MixingLayout& layout, MixingState& state)
      : SequentialPrior(factors), predictor_(layout), network_(state.network), state_(state) {}
  void SetRate(int32_t rate) { rate_ = rate; }

 protected:
  Status Start(const TokenShape&, const DigitPlan&) override {
    predictor_.StartChunk();
    return {};
  }
  void Predict(const Step&, FrequencyTable&) override {}
  void Update(const Step& step, uint32_t value) override {
    predictor_.Learn(state_, network_, step, value, rate_);
  }

 private:
  MixingPredictor predictor_;
  NetLearner network_;
  MixingState& state_;
  int32_t rate_ = kFirstRate;
};

class MixingTrainer final : public PriorTrainer {
 public:
  explicit MixingTrainer(Factors factors) : factors_(std::move(factors)) {}

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
    VQC_ASSIGN(auto plan, MakeDigitPlan(factors_, maps_[0].vocab));
    MixingTables tables{{factors_, maps_[0].vocab}, MixingLayout::For(std::move(plan)), {}};
    tables.state = MixingState::Cold(tables.layout);
    Learner learner(factors_, tables.layout, tables.state);
    const auto replay = [&](size_t i, int32_t rate) {
      learner.SetRate(rate);
      return Replay(learner, maps_[i]);
    };
    VQC_TRY(LearnMixing(tables.layout, tables.state, maps_.size(), replay));
    return WriteMixingTables(tables);
  }

 private:
  Factors factors_;
  std::vector<Tokens> maps_;
};

// A fixed order in which neighbours of the given order are far apart.
size_t Shuffled(size_t i, size_t count) {
  size_t stride = count * 618 / 1000 | 1;
  while (std::gcd(stride, count) != 1) stride += 2;
  return i * stride % count;
}

}  // namespace

Status LearnMixing(const MixingLayout& layout, MixingState& state, size_t maps,
                   const std::function<Status(size_t i, int32_t rate)>& replay) {
  const size_t steps = maps * kPasses;
  for (size_t i = 0; i < steps; ++i) {
    if (i % maps == 0) state.slots = MixingState::Cold(layout).slots;
    const int32_t rate = kFirstRate - static_cast<int32_t>((kFirstRate - kLastRate) * i / steps);
    VQC_TRY(replay(Shuffled(i % maps, maps), rate));
  }
  return {};
}

Result<std::unique_ptr<PriorTrainer>> MakeMixingTrainer(const Factors& factors) {
  return std::unique_ptr<PriorTrainer>(std::make_unique<MixingTrainer>(factors));
}

}  // namespace vqc
