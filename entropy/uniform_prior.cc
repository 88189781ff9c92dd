// SPDX-License-Identifier: Apache-2.0
#include "entropy/uniform_prior.h"

#include <algorithm>
#include <array>

#include "entropy/sequential_prior.h"

namespace vqc {
namespace {

class UniformPrior final : public SequentialPrior {
 public:
  using SequentialPrior::SequentialPrior;

 protected:
  Status Start(const TokenShape&, const DigitPlan&) override { return {}; }

  // A value is as likely as the ids below it are many.
  void Predict(const Step& step, FrequencyTable& table) override {
    const uint32_t left = std::min(step.info->factor - step.above, step.info->unit * step.info->radix);
    std::array<uint32_t, kMaxRadix + 1> starts{};
    for (uint32_t value = 1; value <= step.alphabet; ++value) {
      const uint64_t ids = std::min(left, value * step.info->unit);
      starts[value] = static_cast<uint32_t>(ids * kTableTotal / left);
    }
    table.Assign({starts.data(), step.alphabet + 1});
  }

  void Update(const Step&, uint32_t) override {}
};

class UniformModel final : public PriorModel {
 public:
  explicit UniformModel(Factors factors) : factors_(std::move(factors)) {}
  std::unique_ptr<Prior> NewPrior() const override { return std::make_unique<UniformPrior>(factors_); }

 private:
  Factors factors_;
};

}  // namespace

std::shared_ptr<const PriorModel> MakeUniformPrior(const Factors& factors) {
  return std::make_shared<UniformModel>(factors);
}

}  // namespace vqc
