// SPDX-License-Identifier: Apache-2.0
#include "entropy/mixing_contexts.h"

#include <algorithm>
#include <cstdlib>
#include <initializer_list>

namespace vqc {
namespace {

// A digit as a context: 0 none, otherwise its value + 1, below `radix`.
struct View {
  uint32_t value, radix;
};

ContextKey Key(std::initializer_list<View> views) {
  ContextKey key;
  for (const View& view : views) key.Add(view.value, view.radix);
  return key;
}

// Weighted mean of those neighbours that exist, in `steps` steps; 0 where none does.
struct Weighted {
  const TokenDigits* token;
  uint32_t weight;
};
View Mean(std::initializer_list<Weighted> neighbours, uint32_t digit, uint32_t radix, uint32_t steps) {
  uint32_t sum = 0, weights = 0;
  for (const Weighted& n : neighbours) {
    const uint32_t value = (*n.token)[digit];
    if (value == 0) continue;
    sum += (2 * value - 1) * n.weight;  // of 2 * radix
    weights += n.weight;
  }
  return {weights == 0 ? 0 : 1 + sum * steps / (2 * radix * weights), steps + 1};
}

// Sum over all digits of the distance from the middle, in steps: flat areas have middle digits.
View Activity(const std::vector<Digit>& digits, std::initializer_list<const TokenDigits*> tokens,
              uint32_t steps) {
  uint32_t sum = 0, terms = 0;
  for (const TokenDigits* token : tokens) {
    for (size_t i = 0; i < digits.size(); ++i) {
      const int value = (*token)[i], radix = static_cast<int>(digits[i].radix);
      if (value == 0) continue;
      sum += static_cast<uint32_t>(std::abs(2 * value - 1 - radix) * 64 / radix);
      ++terms;
    }
  }
  return {terms == 0 ? 0 : std::min(steps, 1 + sum * steps / (64 * terms)), steps + 1};
}

// How far the digits so far are from what their neighbours made one expect.
View Surprise(const std::vector<Digit>& digits, const Step& step, uint32_t steps) {
  const TokenDigits& left = *step.neighbours[kLeft];
  const TokenDigits& up = *step.neighbours[kUp];
  uint32_t sum = 0, terms = 0;
  for (uint32_t i = 0; i < step.digit; ++i) {
    if (left[i] == 0 && up[i] == 0) continue;
    const int expected = left[i] == 0 ? 2 * up[i] : up[i] == 0 ? 2 * left[i] : left[i] + up[i];
    sum += static_cast<uint32_t>(std::abs(2 * step.own[i] - expected) * 32) / digits[i].radix;
    ++terms;
  }
  return {terms == 0 ? 0 : 1 + std::min(steps - 1, sum * steps / (32 * terms)), steps + 1};
}

// Left + up - upper left, where they exist.
View Gradient(const Step& step, uint32_t digit, uint32_t radix) {
  const int left = (*step.neighbours[kLeft])[digit], up = (*step.neighbours[kUp])[digit];
  const int corner = (*step.neighbours[kUpLeft])[digit];
  int value = std::max(left, up);
  if (left > 0 && up > 0 && corner > 0) value = std::clamp(left + up - corner, 1, static_cast<int>(radix));
  return {static_cast<uint32_t>(value), radix + 1};
}

}  // namespace

Step RangeStep(uint32_t level, uint32_t digit) {
  static constexpr TokenDigits kNothing{};
  Step step;
  step.level = level;
  step.digit = digit;
  step.neighbours.fill(&kNothing);
  return step;
}

std::array<ContextKey, kContexts> ContextsOf(const DigitPlan& plan, const Step& step) {
  const auto& digits = plan[step.level];
  const uint32_t d = step.digit, radix = digits[d].radix;
  const auto near = [&](Neighbour n) { return View{(*step.neighbours[n])[d], radix + 1}; };
  const auto own = [&](uint32_t back) {
    return back <= d ? View{step.own[d - back], digits[d - back].radix + 1} : View{0, 1};
  };
  // The level above: the digit of the same index, or its last.
  const auto above = [&] {
    if (step.level == 0 || plan[step.level - 1].empty()) return View{0, 1};
    const auto& others = plan[step.level - 1];
    const size_t i = std::min<size_t>(d, others.size() - 1);
    return View{(*step.neighbours[kLevelAbove])[i], others[i].radix + 1};
  };
  ContextKey all_own;
  for (uint32_t i = 0; i < d; ++i) all_own.Add(step.own[i], digits[i].radix + 1);

  const auto& n = step.neighbours;
  const View left = near(kLeft), up = near(kUp), corner = near(kUpLeft), right = near(kUpRight);
  const View pair = Mean({{n[kLeft], 1}, {n[kUp], 1}}, d, radix, 2 * radix - 1);
  const View wide =
      Mean({{n[kLeft], 2}, {n[kUp], 2}, {n[kUpLeft], 1}, {n[kUpRight], 1}}, d, radix, 2 * radix);
  const View activity = Activity(digits, {n[kLeft], n[kUp]}, 6);
  const View surprise = Surprise(digits, step, 5);
  const View gradient = Gradient(step, d, radix);

  return {
      Key({}),
      Key({left, up}),
      Key({left, up, corner}),
      Key({left, up, right}),
      Key({left, near(kLeftLeft)}),
      Key({up, near(kUpUp)}),
      Key({own(1), own(2)}),
      Key({own(1), left}),
      Key({own(1), up}),
      Key({own(1), own(2), own(3)}),
      all_own,
      Key({gradient, surprise}),
      Key({pair, activity}),
      Key({wide, own(1)}),
      Key({wide, surprise, activity}),
      Key({above(), own(1)}),
      Key({near(kBefore), wide}),
      Key({wide, own(2), own(3)}),
      // fresh
      Key({}),
      Key({left}),
      Key({up}),
      Key({own(1)}),
      Key({gradient}),
      Key({own(2)}),
  };
}

}  // namespace vqc
