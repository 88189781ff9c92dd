// SPDX-License-Identifier: Apache-2.0
#include "entropy/sequential_prior.h"

#include <algorithm>
#include <string>
#include <utility>

namespace vqc {
namespace {

constexpr TokenDigits kNothing{};

}  // namespace

std::optional<uint32_t> CountOf(const TokenShape& shape) {
  uint64_t count = 1;
  for (const uint32_t side : {shape.levels, shape.t, shape.h, shape.w}) {
    count *= side;
    if (count == 0 || count > INT32_MAX) return std::nullopt;
  }
  return static_cast<uint32_t>(count);
}

Status SequentialPrior::Begin(const TokenShape& shape, std::span<const uint32_t> vocab) {
  if (shape.levels != vocab.size()) {
    return Error{ErrorCode::kInternal, "the shape has " + std::to_string(shape.levels) +
                                           " levels, the vocabulary " + std::to_string(vocab.size())};
  }
  if (!CountOf(shape)) {
    return Error{ErrorCode::kLimit, "a chunk of no tokens or of more than 2^31 - 1 cannot be coded"};
  }
  VQC_ASSIGN(plan_, MakeDigitPlan(factors_, vocab));
  VQC_TRY(Start(shape, plan_));
  shape_ = shape;
  // A sequence is a row: its neighbour to the left is the step before.
  if (shape_.h == 1 && shape_.w == 1) std::swap(shape_.t, shape_.w);
  rows_ = shape_.t > 1 ? std::max(shape_.h + 1, 3u) : std::min(shape_.h, 3u);
  history_.assign(size_t{rows_} * shape_.w * shape_.levels, kNothing);
  t_ = y_ = x_ = level_ = token_ = 0;
  entered_ = false;
  done_ = false;
  return {};
}

Status SequentialPrior::SkipTo(uint32_t token) {
  token_ = token;
  level_ = token % shape_.levels;
  const uint32_t place = token / shape_.levels;
  x_ = place % shape_.w;
  y_ = place / shape_.w % shape_.h;
  t_ = place / shape_.w / shape_.h;
  done_ = t_ >= shape_.t;
  return {};
}

TokenDigits& SequentialPrior::At(uint32_t t, uint32_t y, uint32_t x, uint32_t level) {
  const uint64_t row = (uint64_t{t} * shape_.h + y) % rows_;
  return history_[(row * shape_.w + x) * shape_.levels + level];
}

void SequentialPrior::EnterToken() {
  const auto at = [&](bool exists, uint32_t back_t, uint32_t back_y, uint32_t x, uint32_t level) {
    return exists ? &At(t_ - back_t, y_ - back_y, x, level) : &kNothing;
  };
  auto& n = step_.neighbours;
  n[kLeft] = at(x_ >= 1, 0, 0, x_ - 1, level_);
  n[kUp] = at(y_ >= 1, 0, 1, x_, level_);
  n[kUpLeft] = at(y_ >= 1 && x_ >= 1, 0, 1, x_ - 1, level_);
  n[kUpRight] = at(y_ >= 1 && x_ + 1 < shape_.w, 0, 1, x_ + 1, level_);
  n[kLeftLeft] = at(x_ >= 2, 0, 0, x_ - 2, level_);
  n[kUpUp] = at(y_ >= 2, 0, 2, x_, level_);
  n[kBefore] = at(t_ >= 1, 1, 0, x_, level_);
  n[kLevelAbove] = at(level_ >= 1, 0, 0, x_, level_ - 1);
  step_.level = level_;
  step_.digit = 0;
  step_.above = 0;
  step_.own = kNothing;
  entered_ = true;
}

// Moves to the next digit that has more than one possible value; false at the end.
bool SequentialPrior::Advance() {
  while (!done_) {
    if (!entered_) EnterToken();
    const auto& digits = plan_[level_];
    if (step_.digit < digits.size()) {
      const Digit& digit = digits[step_.digit];
      if (digit.top) step_.above = 0;
      step_.info = &digit;
      step_.alphabet = AlphabetOf(digit, step_.above);
      if (step_.alphabet > 1) return true;
      Record(0);
      continue;
    }
    At(t_, y_, x_, level_) = step_.own;
    entered_ = false;
    ++token_;
    if (++level_ < shape_.levels) continue;
    level_ = 0;
    if (++x_ < shape_.w) continue;
    x_ = 0;
    if (++y_ < shape_.h) continue;
    y_ = 0;
    done_ = ++t_ >= shape_.t;
  }
  return false;
}

void SequentialPrior::Record(uint32_t value) {
  step_.own[step_.digit] = static_cast<uint8_t>(value + 1);
  step_.above += value * step_.info->unit;
  ++step_.digit;
}

Result<Group> SequentialPrior::NextGroup() {
  if (!Advance()) return Group{};
  Predict(step_, table_);
  part_ = {token_, step_.info->divisor, step_.info->radix};
  return Group{{&part_, 1}, {&table_, 1}};
}

void SequentialPrior::Observe(std::span<const uint32_t> values) {
  Update(step_, values[0]);
  Record(values[0]);
}

Status Replay(SequentialPrior& prior, const Tokens& tokens) {
  VQC_TRY(prior.Begin(tokens.shape, tokens.vocab));
  while (true) {
    VQC_ASSIGN(const Group group, prior.NextGroup());
    if (group.parts.empty()) return {};
    const TokenPart& part = group.parts[0];
    const uint32_t value = tokens.ids[part.token] / part.divisor % part.radix;
    prior.Observe({&value, 1});
  }
}

}  // namespace vqc
