// SPDX-License-Identifier: Apache-2.0
#include "entropy/static_prior.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "entropy/sequential_prior.h"
#include "entropy/table_head.h"
#include "entropy/token_coder.h"

namespace vqc {
namespace {

constexpr TableKind kKind = {"static", "VQST", 1};
constexpr uint64_t kMaxEntries = 400'000;  // 800 KB of tables

// How many views of the tokens before the rows tell apart: 1 the digit before, 2 and left, 3 and up.
// Each digit has rows of `radix` entries.
struct StaticLayout {
  DigitPlan plan;
  uint32_t views = 3;
  std::vector<std::vector<uint32_t>> first;  // [level][digit], first entry
  uint32_t entries = 0;

  uint32_t Views(uint32_t level, uint32_t d, uint32_t view) const {
    const auto& digits = plan[level];
    if (view > 0) return digits[d].radix + 1;
    return d > 0 ? digits[d - 1].radix + 1 : 1;
  }
  uint32_t Rows(uint32_t level, uint32_t d) const {
    uint32_t rows = 1;
    for (uint32_t view = 0; view < views; ++view) rows *= Views(level, d, view);
    return rows;
  }
  // First entry of the row of a step. The digit before is the fastest to change.
  uint32_t RowOf(const Step& step) const {
    const std::array<uint32_t, 3> seen = {step.digit > 0 ? step.own[step.digit - 1] : 0u,
                                          (*step.neighbours[kLeft])[step.digit],
                                          (*step.neighbours[kUp])[step.digit]};
    uint32_t row = 0;
    for (uint32_t view = views; view-- > 0;) row = row * Views(step.level, step.digit, view) + seen[view];
    return first[step.level][step.digit] + row * step.info->radix;
  }
  static StaticLayout For(const DigitPlan& plan) {
    StaticLayout layout{plan, 3, {}, 0};
    while (!layout.Place() && layout.views > 1) --layout.views;
    return layout;
  }

 private:
  bool Place() {
    uint64_t used = 0;
    first.assign(plan.size(), {});
    for (uint32_t level = 0; level < plan.size(); ++level) {
      for (uint32_t d = 0; d < plan[level].size(); ++d) {
        first[level].push_back(static_cast<uint32_t>(used));
        used += uint64_t{Rows(level, d)} * plan[level][d].radix;
      }
    }
    entries = static_cast<uint32_t>(used);
    return used <= kMaxEntries;
  }
};

struct StaticTables {
  TableHead head;
  StaticLayout layout;
  std::vector<uint16_t> weights;  // of each value, at least 1
};

class StaticPrior final : public SequentialPrior {
 public:
  explicit StaticPrior(std::shared_ptr<const StaticTables> tables)
      : SequentialPrior(tables->head.factors), tables_(std::move(tables)) {}

 protected:
  Status Start(const TokenShape&, const DigitPlan& plan) override {
    if (BeginsWith(tables_->layout.plan, plan)) return {};
    return Error{ErrorCode::kModel,
                 "the prior \"static\" was trained for another vocabulary than that of these tokens"};
  }
  void Predict(const Step& step, FrequencyTable& table) override {
    const uint16_t* weights = &tables_->weights[tables_->layout.RowOf(step)];
    uint64_t total = 0, below = 0;
    for (uint32_t value = 0; value < step.alphabet; ++value) total += weights[value];
    std::array<uint32_t, kMaxRadix + 1> starts{};
    for (uint32_t value = 0; value < step.alphabet; ++value) {
      below += weights[value];
      starts[value + 1] = static_cast<uint32_t>(below * kTableTotal / total);
    }
    table.Assign({starts.data(), step.alphabet + 1});
  }
  void Update(const Step&, uint32_t) override {}

 private:
  std::shared_ptr<const StaticTables> tables_;
};

class StaticModel final : public PriorModel {
 public:
  explicit StaticModel(std::shared_ptr<const StaticTables> tables) : tables_(std::move(tables)) {}
  std::unique_ptr<Prior> NewPrior() const override { return std::make_unique<StaticPrior>(tables_); }

 private:
  std::shared_ptr<const StaticTables> tables_;
};

Result<StaticTables> ReadStaticTables(std::span<const uint8_t> bytes) {
  VQC_ASSIGN(const auto body, OpenTables(kKind, bytes));
  ByteReader reader(body);
  StaticTables tables;
  VQC_ASSIGN(tables.head, ReadTableHead(kKind, reader));
  VQC_ASSIGN(const DigitPlan plan, MakeDigitPlan(tables.head.factors, tables.head.vocab));
  tables.layout = StaticLayout::For(plan);
  const size_t needed = size_t{tables.layout.entries} * 2;
  if (reader.remaining() != needed) {
    return RefuseTables(kKind, "hold " + std::to_string(reader.remaining()) + " bytes of frequencies, " +
                                   std::to_string(needed) + " are needed");
  }
  tables.weights.resize(tables.layout.entries);
  for (uint16_t& weight : tables.weights) {
    weight = reader.U16();
    if (weight == 0) return RefuseTables(kKind, "hold a frequency of 0");
  }
  return tables;
}

class Counter final : public SequentialPrior {
 public:
  Counter(const Factors& factors, const StaticLayout& layout)
      : SequentialPrior(factors), counts(layout.entries), layout_(layout) {}
  std::vector<uint32_t> counts;

 protected:
  Status Start(const TokenShape&, const DigitPlan&) override { return {}; }
  void Predict(const Step&, FrequencyTable&) override {}
  void Update(const Step& step, uint32_t value) override { ++counts[layout_.RowOf(step) + value]; }

 private:
  const StaticLayout& layout_;
};

// Rows that were rarely seen lean on the frequencies given the digit before, and these on even ones.
constexpr uint64_t kLean = 24;
constexpr uint64_t kWeightTotal = 60'000;

class StaticTrainer final : public PriorTrainer {
 public:
  explicit StaticTrainer(Factors factors) : factors_(std::move(factors)) {}

  Status Add(const Tokens& tokens) override {
    VQC_TRY(CheckTokens(tokens));
    if (!counter_) {
      VQC_ASSIGN(const DigitPlan plan, MakeDigitPlan(factors_, tokens.vocab));
      vocab_ = tokens.vocab;
      layout_ = StaticLayout::For(plan);
      counter_.emplace(factors_, layout_);
    }
    if (tokens.vocab != vocab_) {
      return Error{ErrorCode::kInput, "token maps of different vocabularies cannot train one prior"};
    }
    return Replay(*counter_, tokens);
  }

  Result<std::vector<uint8_t>> Finish() override {
    if (!counter_) return Error{ErrorCode::kInput, "a prior cannot be trained without token maps"};
    ByteWriter writer;
    WriteTableHead(kKind, {factors_, vocab_}, writer);
    for (uint32_t level = 0; level < layout_.plan.size(); ++level) {
      for (uint32_t d = 0; d < layout_.plan[level].size(); ++d) WriteDigit(level, d, writer);
    }
    return SealTables(std::move(writer));
  }

 private:
  void WriteDigit(uint32_t level, uint32_t d, ByteWriter& writer) const {
    const uint32_t radix = layout_.plan[level][d].radix, groups = layout_.Views(level, d, 0);
    const uint32_t rows = layout_.Rows(level, d);
    const uint32_t* counts = &counter_->counts[layout_.first[level][d]];
    std::vector<uint64_t> grouped(size_t{groups} * radix, 1), totals(groups, radix);
    for (uint32_t row = 0; row < rows; ++row) {
      for (uint32_t value = 0; value < radix; ++value) {
        grouped[row % groups * radix + value] += counts[row * radix + value];
        totals[row % groups] += counts[row * radix + value];
      }
    }
    for (uint32_t row = 0; row < rows; ++row) {
      const uint32_t group = row % groups;
      uint64_t total = kLean;
      for (uint32_t value = 0; value < radix; ++value) total += counts[row * radix + value];
      for (uint32_t value = 0; value < radix; ++value) {
        const uint64_t lean = kLean * kWeightTotal * grouped[group * radix + value] / totals[group];
        writer.U16(static_cast<uint16_t>(1 + (counts[row * radix + value] * kWeightTotal + lean) / total));
      }
    }
  }

  Factors factors_;
  std::vector<uint32_t> vocab_;
  StaticLayout layout_;
  std::optional<Counter> counter_;
};

}  // namespace

Result<std::shared_ptr<const PriorModel>> MakeStaticPrior(const Factors& factors,
                                                          std::span<const uint8_t> bytes) {
  VQC_ASSIGN(auto tables, ReadStaticTables(bytes));
  VQC_TRY(CheckTablePlan(kKind, tables.layout.plan, factors, tables.head.vocab));
  auto shared = std::make_shared<const StaticTables>(std::move(tables));
  return std::shared_ptr<const PriorModel>(std::make_shared<StaticModel>(std::move(shared)));
}

Result<std::unique_ptr<PriorTrainer>> MakeStaticTrainer(const Factors& factors) {
  return std::unique_ptr<PriorTrainer>(std::make_unique<StaticTrainer>(factors));
}

}  // namespace vqc
