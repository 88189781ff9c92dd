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
  Status Start(const DigitPlan&) override {
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
    const size_t steps = maps_.size() * kPasses;
    for (size_t i = 0; i < steps; ++i) {
      if (i % maps_.size() == 0) tables.state.slots = MixingState::Cold(tables.layout).slots;
      learner.SetRate(kFirstRate - static_cast<int32_t>((kFirstRate - kLastRate) * i / steps));
      VQC_TRY(Replay(learner, maps_[Shuffled(i % maps_.size())]));
    }
    return WriteMixingTables(tables);
  }

 private:
  // A fixed order in which neighbours of the given order are far apart.
  size_t Shuffled(size_t i) const {
    size_t stride = maps_.size() * 618 / 1000 | 1;
    while (std::gcd(stride, maps_.size()) != 1) stride += 2;
    return i * stride % maps_.size();
  }

  Factors factors_;
  std::vector<Tokens> maps_;
};

}  // namespace

Result<std::unique_ptr<PriorTrainer>> MakeMixingTrainer(const Factors& factors) {
  return std::unique_ptr<PriorTrainer>(std::make_unique<MixingTrainer>(factors));
}

}  // namespace vqc
