// SPDX-License-Identifier: Apache-2.0
#include "entropy/adaptive_prior.h"

#include <array>
#include <vector>

#include "entropy/sequential_prior.h"

namespace vqc {
namespace {

// A value's count starts at 1 and grows by 2: the Krichevsky-Trofimov estimate, in halves.
constexpr uint32_t kFirst = 1, kGrowth = 2, kMaxTotal = 1u << 16;
// A digit of a split factor is counted apart for each value of the two digits above it.
constexpr uint32_t kContexts = 1 + kMaxRadix * kMaxRadix;

class AdaptivePrior final : public SequentialPrior {
 public:
  using SequentialPrior::SequentialPrior;

 protected:
  Status Start(const TokenShape&, const DigitPlan& plan) override {
    counts_.clear();
    for (const auto& digits : plan) {
      auto& level = counts_.emplace_back();
      for (const Digit& digit : digits) level.emplace_back(digit.top ? 1 : kContexts, Counts{});
    }
    return {};
  }

  void Predict(const Step& step, FrequencyTable& table) override {
    const Counts& counts = CountsOf(step);
    uint64_t total = 0;
    for (uint32_t value = 0; value < step.alphabet; ++value) total += kFirst + counts[value];
    std::array<uint32_t, kMaxRadix + 1> starts{};
    uint64_t below = 0;
    for (uint32_t value = 0; value < step.alphabet; ++value) {
      below += kFirst + counts[value];
      starts[value + 1] = static_cast<uint32_t>(below * kTableTotal / total);
    }
    table.Assign({starts.data(), step.alphabet + 1});
  }

  void Update(const Step& step, uint32_t value) override {
    Counts& counts = CountsOf(step);
    counts[value] += kGrowth;
    uint32_t total = 0;
    for (const uint32_t count : counts) total += count;
    if (total < kMaxTotal) return;
    for (uint32_t& count : counts) count /= 2;
  }

 private:
  using Counts = std::array<uint32_t, kMaxRadix>;

  Counts& CountsOf(const Step& step) {
    const uint32_t context = step.info->top ? 0 : step.above / step.info->unit / kMaxRadix % (kContexts - 1);
    return counts_[step.level][step.digit][context];
  }

  std::vector<std::vector<std::vector<Counts>>> counts_;  // [level][digit][context]
};

class AdaptiveModel final : public PriorModel {
 public:
  explicit AdaptiveModel(Factors factors) : factors_(std::move(factors)) {}
  std::unique_ptr<Prior> NewPrior() const override { return std::make_unique<AdaptivePrior>(factors_); }

 private:
  Factors factors_;
};

}  // namespace

std::shared_ptr<const PriorModel> MakeAdaptivePrior(const Factors& factors) {
  return std::make_shared<AdaptiveModel>(factors);
}

}  // namespace vqc
