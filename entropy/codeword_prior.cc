// SPDX-License-Identifier: Apache-2.0
#include "entropy/codeword_prior.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "entropy/exp_count.h"
#include "entropy/sequential_prior.h"
#include "entropy/token_coder.h"

namespace vqc {
namespace {

// For each digit of each level in coding order: codewords that one value of it stands for.
using Spans = std::vector<std::vector<uint32_t>>;

std::vector<uint32_t> SpansOf(const std::vector<Digit>& digits, uint32_t vocab) {
  std::vector<uint32_t> spans;
  uint32_t after = vocab;  // of all factors from here on
  for (const Digit& digit : digits) {
    if (digit.top) after /= digit.factor;
    spans.push_back(digit.unit * after);
  }
  return spans;
}

struct Model {
  TableHead head;
  DigitPlan plan;
  Spans spans;
  CodewordNetwork network;
};

class CodewordPrior final : public SequentialPrior {
 public:
  explicit CodewordPrior(std::shared_ptr<const Model> model)
      : SequentialPrior(model->head.factors), model_(std::move(model)) {}

 protected:
  Status Start(const TokenShape&, const DigitPlan& plan) override {
    if (!BeginsWith(model_->plan, plan)) {
      return Error{ErrorCode::kModel,
                   "the prior \"codeword\" was trained for another vocabulary than that of these tokens"};
    }
    before_.clear();
    part_ = {};
    started_ = false;
    return {};
  }

  void Predict(const Step& step, FrequencyTable& table) override {
    if (step.digit == 0) Enter(step.level);
    const uint32_t span = model_->spans[step.level][step.digit];
    // The last value that is possible may stand for fewer codewords than the others.
    const uint32_t end = std::min(codeword_ + span * step.alphabet,
                                  codeword_ + (step.info->factor - step.above) * (span / step.info->unit));
    const uint64_t first = below_[codeword_], total = below_[end] - first;
    const uint64_t spare = kTableTotal - step.alphabet;
    std::array<uint32_t, kMaxRadix + 1> starts;
    for (uint32_t value = 0; value < step.alphabet; ++value)
      starts[value] =
          value + static_cast<uint32_t>((below_[codeword_ + value * span] - first) * spare / total);
    starts[step.alphabet] = kTableTotal;
    table.Assign({starts.data(), step.alphabet + 1});
  }

  void Update(const Step& step, uint32_t value) override {
    codeword_ += value * model_->spans[step.level][step.digit];
  }

 private:
  // A token begins: the one before is known, and the network says what to expect.
  void Enter(uint32_t level) {
    const CodewordNetwork& network = model_->network;
    if (started_) network.Add(level_, codeword_, part_);
    if (!started_ || level == 0) {
      if (started_) {
        before_.insert(before_.begin(), part_);
        before_.resize(std::min<size_t>(before_.size(), network.shape().frames));
        part_ = {};
      }
      network.Look(before_, units_);
      started_ = true;
    }
    level_ = level;
    codeword_ = 0;
    const uint32_t vocab = model_->head.vocab[level];
    logits_.resize(vocab + kCodewordStep);
    network.Predict(level, units_, part_, logits_.data());
    const int32_t top = *std::max_element(logits_.begin(), logits_.begin() + vocab);
    below_.resize(vocab + 1);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < vocab; ++i) {
      below_[i] = sum;
      sum += ExpCount(static_cast<size_t>(top - logits_[i]) >> (kCodewordLogitBits - 8));
    }
    below_[vocab] = sum;
  }

  std::shared_ptr<const Model> model_;
  bool started_ = false;
  uint32_t level_ = 0, codeword_ = 0;   // of the token at hand; the least codeword that is still possible
  std::vector<CodewordVector> before_;  // the last frame first
  CodewordVector part_{};
  CodewordNetwork::Units units_{};
  std::vector<int32_t> logits_;
  std::vector<uint64_t> below_;  // [codeword], counts of those before
};

class CodewordModel final : public PriorModel {
 public:
  explicit CodewordModel(std::shared_ptr<const Model> model) : model_(std::move(model)) {}
  std::unique_ptr<Prior> NewPrior() const override { return std::make_unique<CodewordPrior>(model_); }

 private:
  std::shared_ptr<const Model> model_;
};

class FrequencyTrainer final : public PriorTrainer {
 public:
  explicit FrequencyTrainer(Factors factors) : factors_(std::move(factors)) {}

  Status Add(const Tokens& tokens) override {
    VQC_TRY(CheckTokens(tokens));
    if (vocab_.empty()) {
      vocab_ = tokens.vocab;
      VQC_ASSIGN(const DigitPlan plan, MakeDigitPlan(factors_, vocab_));
      for (size_t l = 0; l < vocab_.size(); ++l) {
        orders_.push_back(CodewordOrder(plan[l], vocab_[l]));
        counts_.emplace_back(vocab_[l]);
      }
    }
    if (tokens.vocab != vocab_)
      return Error{ErrorCode::kInput, "token maps of different vocabularies cannot train one prior"};
    for (size_t i = 0; i < tokens.ids.size(); ++i) {
      const size_t level = i % vocab_.size();
      ++counts_[level][orders_[level][tokens.ids[i]]];
    }
    return {};
  }

  Result<std::vector<uint8_t>> Finish() override {
    if (vocab_.empty()) return Error{ErrorCode::kInput, "a prior cannot be trained without token maps"};
    CodewordTables tables{{factors_, vocab_}, {vocab_, kCodewordStep, 1, kCodewordStep, kCodewordStep}, {}};
    const size_t levels = vocab_.size(), step = kCodewordStep;
    CodewordWeights& w = tables.weights;
    w.scale.assign(levels, 1);
    w.embed.assign(tables.shape.Codewords() * step, 0);
    w.first.assign(step * step, 0);
    w.second.assign(step * step, 0);
    for (auto* layer : {&w.trunk, &w.part, &w.out}) layer->assign(levels * step * step, 0);
    w.first_bias.assign(step, 0);
    w.second_bias.assign(step, 0);
    w.head_bias.assign(levels * step, 0);
    w.out_bias.assign(levels * step, 0);
    for (const auto& counts : counts_) {
      const auto biases = FrequencyBiases(counts);
      w.bias.insert(w.bias.end(), biases.begin(), biases.end());
    }
    VQC_TRY(CodewordNetwork::Make(tables.shape, w));
    return WriteCodewordTables(tables);
  }

 private:
  Factors factors_;
  std::vector<uint32_t> vocab_;
  std::vector<std::vector<uint32_t>> orders_;
  std::vector<std::vector<uint64_t>> counts_;
};

}  // namespace

std::vector<uint32_t> CodewordOrder(const std::vector<Digit>& digits, uint32_t vocab) {
  const auto spans = SpansOf(digits, vocab);
  std::vector<uint32_t> order(vocab);
  for (uint32_t id = 0; id < vocab; ++id) {
    for (size_t k = 0; k < digits.size(); ++k)
      order[id] += id / digits[k].divisor % digits[k].radix * spans[k];
  }
  return order;
}

std::vector<int16_t> FrequencyBiases(std::span<const uint64_t> counts) {
  const uint64_t most = *std::max_element(counts.begin(), counts.end());
  std::vector<int16_t> biases;
  for (const uint64_t count : counts) {
    const double nats = std::log(static_cast<double>(count + 1) / static_cast<double>(most + 1));
    biases.push_back(
        static_cast<int16_t>(std::max(std::lround(std::ldexp(nats, kCodewordLogitBits)), -32767l)));
  }
  return biases;
}

Result<std::unique_ptr<PriorTrainer>> MakeCodewordTrainer(const Factors& factors) {
  return std::unique_ptr<PriorTrainer>(std::make_unique<FrequencyTrainer>(factors));
}

Result<std::shared_ptr<const PriorModel>> MakeCodewordPrior(const Factors& factors,
                                                            std::span<const uint8_t> bytes) {
  VQC_ASSIGN(auto tables, ReadCodewordTables(bytes));
  VQC_ASSIGN(auto plan, MakeDigitPlan(tables.head.factors, tables.head.vocab));
  VQC_TRY(CheckTablePlan(kCodewordTables, plan, factors, tables.head.vocab));
  VQC_ASSIGN(auto network, CodewordNetwork::Make(tables.shape, tables.weights));
  Spans spans;
  for (size_t l = 0; l < plan.size(); ++l) spans.push_back(SpansOf(plan[l], tables.head.vocab[l]));
  auto model = std::make_shared<const Model>(
      Model{std::move(tables.head), std::move(plan), std::move(spans), std::move(network)});
  return std::shared_ptr<const PriorModel>(std::make_shared<CodewordModel>(std::move(model)));
}

}  // namespace vqc
