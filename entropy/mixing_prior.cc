// SPDX-License-Identifier: Apache-2.0
#include "entropy/mixing_prior.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <utility>

#include "entropy/digit_tree.h"
#include "entropy/logistic.h"

namespace vqc {
namespace {

constexpr uint32_t kFreshMaxCount = 60;  // a chunk's own statistics keep adapting
constexpr int64_t kMaxWeight = 1 << 19;  // 8.0
constexpr uint32_t kExpertStep = (kLogOddsLimit + 1) / kCountBuckets + 1;  // log odds that share a weight

constexpr std::array<uint32_t, kSlotMaxCount + 1> MakeReciprocals() {
  std::array<uint32_t, kSlotMaxCount + 1> table{};
  for (uint32_t n = 0; n <= kSlotMaxCount; ++n) table[n] = 65536 * 2 / (2 * n + 3);
  return table;
}
constexpr auto kReciprocals = MakeReciprocals();  // 65536 / (n + 1.5)

constexpr std::array<uint8_t, kSlotMaxCount + 1> MakeBuckets() {
  std::array<uint8_t, kSlotMaxCount + 1> table{};
  for (uint32_t n = 0; n <= kSlotMaxCount; ++n) {
    uint32_t bucket = n <= 1 ? n : 2;
    while (n > 1 && (1u << (bucket - 1)) < n) ++bucket;
    table[n] = static_cast<uint8_t>(std::min<uint32_t>(bucket, kCountBuckets - 1));
  }
  return table;
}
constexpr auto kBuckets = MakeBuckets();  // 0, 1, 2, 3-4, 5-8, 9-16, ...

uint32_t Learned(uint32_t slot, bool upper, uint32_t max_count) {
  const uint32_t count = slot & kSlotMaxCount;
  const int64_t p = slot >> kSlotCountBits;
  const int64_t target = upper ? (1 << 22) - 1 : 0;
  const int64_t moved = p + (((target - p) * kReciprocals[count]) >> 16);
  return static_cast<uint32_t>(moved) << kSlotCountBits | std::min(count + 1, max_count);
}

uint32_t RowOf(const ContextKey& key, uint32_t rows, bool hashed) {
  if (!hashed) return static_cast<uint32_t>(key.value);
  uint64_t mixed = (key.value + 1) * 0x9E3779B97F4A7C15ull;
  mixed ^= mixed >> 29;
  mixed *= 0xBF58476D1CE4E5B9ull;
  return static_cast<uint32_t>(((mixed >> 32) * rows) >> 32);
}

}  // namespace

void MixingPredictor::Enter(const MixingState& state, const Step& step) {
  const MixingDigit& digit = layout_.digits[step.level][step.digit];
  const auto keys = ContextsOf(layout_.plan, step);
  for (size_t i = 0; i < kContexts; ++i) {
    rows_[i] = digit.first[i] + RowOf(keys[i], digit.rows[i], digit.hashed[i]) * digit.nodes;
  }
  if (!layout_.expert) features_ = NetFeaturesOf(layout_.plan, step, &state.network[digit.network]);
}

void MixingPredictor::Evaluate(const MixingState& state, const MixingDigit& digit, uint32_t k) {
  Node& node = nodes_[k];
  int64_t sum = 0;
  auto weight = static_cast<uint32_t>(digit.weights + k * layout_.Inputs() * kCountBuckets);
  for (size_t i = 0; i < kContexts; ++i, weight += kCountBuckets) {
    const uint32_t slot = i < kTrainedContexts ? state.slots[rows_[i] + k] : fresh_[rows_[i] + k];
    node.inputs[i] = Stretch(static_cast<int32_t>(slot >> 16));
    node.weights[i] = weight + kBuckets[slot & kSlotMaxCount];
    sum += int64_t{state.weights[node.weights[i]]} * node.inputs[i];
  }
  if (layout_.expert) {
    const int32_t heard = expert_[k];
    node.inputs[kContexts] = heard;
    node.weights[kContexts] = weight + static_cast<uint32_t>(std::abs(heard)) / kExpertStep;
    sum += int64_t{state.weights[node.weights[kContexts]]} * heard;
    node.probability = Squash(sum >> 16);
  } else {
    node.probability = Squash((sum >> 16) + NetOutput(features_, &state.network[digit.network], k));
  }
}

void MixingPredictor::Adjust(MixingState& state, uint32_t k, bool upper, int32_t rate) {
  const Node& node = nodes_[k];
  const int64_t step = int64_t{(upper ? 65536 : 0) - node.probability} * rate;
  const auto adjust = [step](int32_t& weight, int32_t input) {
    const int64_t moved = weight + ((step * input + (1 << 19)) >> 20);
    weight = static_cast<int32_t>(std::clamp(moved, -kMaxWeight, kMaxWeight));
  };
  for (size_t i = 0; i < layout_.Inputs(); ++i) adjust(state.weights[node.weights[i]], node.inputs[i]);
  for (size_t i = 0; i < kTrainedContexts; ++i) {
    uint32_t& slot = state.slots[rows_[i] + k];
    slot = Learned(slot, upper, kSlotMaxCount);
  }
  for (size_t i = kTrainedContexts; i < kContexts; ++i) {
    uint32_t& slot = fresh_[rows_[i] + k];
    slot = Learned(slot, upper, kFreshMaxCount);
  }
}

void MixingPredictor::Predict(const MixingState& state, const Step& step, FrequencyTable& table) {
  Enter(state, step);
  const MixingDigit& digit = layout_.digits[step.level][step.digit];
  const DigitTree& tree = kDigitTrees[digit.nodes + 1];
  std::array<uint32_t, kMaxRadix + 1> starts{};
  starts[step.alphabet] = kTableTotal;
  for (uint32_t k = 0; k < digit.nodes; ++k) {
    if (tree[k].middle >= step.alphabet) continue;  // the lower half is certain
    Evaluate(state, digit, k);
    const uint32_t low = tree[k].low, middle = tree[k].middle;
    const uint32_t high = std::min<uint32_t>(tree[k].high, step.alphabet);
    const uint64_t width = starts[high] - starts[low];
    const uint64_t lower = (width * static_cast<uint32_t>(65536 - nodes_[k].probability)) >> 16;
    starts[middle] = starts[low] + static_cast<uint32_t>(
                                       std::clamp<uint64_t>(lower, middle - low, width - (high - middle)));
  }
  table.Assign({starts.data(), step.alphabet + 1});
}

void MixingPredictor::Update(MixingState& state, const Step& step, uint32_t value, int32_t rate) {
  const MixingDigit& digit = layout_.digits[step.level][step.digit];
  const DigitTree& tree = kDigitTrees[digit.nodes + 1];
  for (uint32_t k = 0;;) {
    const bool upper = value >= tree[k].middle;
    if (tree[k].middle < step.alphabet) Adjust(state, k, upper, rate);
    k = upper ? tree[k].upper : tree[k].lower;
    if (k == 0) break;
  }
}

void MixingPredictor::Learn(MixingState& state, NetLearner& network, const Step& step, uint32_t value,
                            int32_t rate) {
  const MixingDigit& digit = layout_.digits[step.level][step.digit];
  const DigitTree& tree = kDigitTrees[digit.nodes + 1];
  Enter(state, step);
  std::array<NetLearner::NodeError, kMaxNodes> errors;
  size_t count = 0;
  for (uint32_t k = 0;;) {
    const bool upper = value >= tree[k].middle;
    if (tree[k].middle < step.alphabet) {
      Evaluate(state, digit, k);
      errors[count++] = {k, (upper ? 65536 : 0) - nodes_[k].probability};
      Adjust(state, k, upper, rate);
    }
    k = upper ? tree[k].upper : tree[k].lower;
    if (k == 0) break;
  }
  if (!layout_.expert) network.Learn(features_, {errors.data(), count}, rate, digit.network, state.network);
}

namespace {

class MixingPrior final : public SequentialPrior {
 public:
  // Without tables a chunk starts from nothing.
  MixingPrior(Factors factors, std::shared_ptr<const MixingTables> tables)
      : SequentialPrior(std::move(factors)), tables_(std::move(tables)) {}

 protected:
  Status Start(const TokenShape&, const DigitPlan& plan) override {
    if (!tables_) {
      auto cold = std::make_shared<MixingTables>();
      cold->layout = MixingLayout::For(plan);
      cold->state = MixingState::Cold(cold->layout);
      tables_ = std::move(cold);
    }
    if (!BeginsWith(tables_->layout.plan, plan)) {
      return Error{ErrorCode::kModel,
                   "the prior \"mixing\" was trained for another vocabulary than that of these tokens"};
    }
    state_ = tables_->state;
    predictor_.emplace(tables_->layout);
    predictor_->StartChunk();
    return {};
  }
  void Predict(const Step& step, FrequencyTable& table) override { predictor_->Predict(state_, step, table); }
  void Update(const Step& step, uint32_t value) override {
    predictor_->Update(state_, step, value, kMixingChunkRate);
  }

 private:
  std::shared_ptr<const MixingTables> tables_;
  std::optional<MixingPredictor> predictor_;
  MixingState state_;
};

class MixingModel final : public PriorModel {
 public:
  MixingModel(Factors factors, std::shared_ptr<const MixingTables> tables)
      : factors_(std::move(factors)), tables_(std::move(tables)) {}
  std::unique_ptr<Prior> NewPrior() const override {
    return std::make_unique<MixingPrior>(factors_, tables_);
  }

 private:
  Factors factors_;
  std::shared_ptr<const MixingTables> tables_;
};

}  // namespace

Result<std::shared_ptr<const PriorModel>> MakeMixingPrior(const Factors& factors,
                                                          std::span<const uint8_t> bytes) {
  if (bytes.empty())
    return std::shared_ptr<const PriorModel>(std::make_shared<MixingModel>(factors, nullptr));
  VQC_ASSIGN(auto tables, ReadMixingTables(bytes));
  VQC_TRY(CheckTablePlan(kMixingTables, tables.layout.plan, factors, tables.head.vocab));
  auto shared = std::make_shared<const MixingTables>(std::move(tables));
  return std::shared_ptr<const PriorModel>(std::make_shared<MixingModel>(factors, std::move(shared)));
}

}  // namespace vqc
