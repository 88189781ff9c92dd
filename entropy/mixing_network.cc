// SPDX-License-Identifier: Apache-2.0
#include "entropy/mixing_network.h"

#include <algorithm>

namespace vqc {
namespace {

constexpr uint32_t kOwn = 6;     // digits before in the same token
constexpr uint32_t kAround = 8;  // digits of each token left, up, upper left, upper right, from this one on
static_assert(1 + 4 + kOwn + 4 * kAround <= kNetInputs);

int16_t Centered(uint8_t digit, uint32_t radix) {
  const int32_t value = digit, r = static_cast<int32_t>(radix);
  return value == 0 ? int16_t{0} : static_cast<int16_t>((2 * value - 1 - r) * 256 / (r - 1));
}

void Move(int32_t& fine, int16_t& weight, int32_t by) {
  fine = std::clamp(fine + by, -kNetMaxWeight * 16, kNetMaxWeight * 16);
  weight = static_cast<int16_t>((fine + 8) >> 4);
}

}  // namespace

NetFeatures NetFeaturesOf(const DigitPlan& plan, const Step& step, const int16_t* weights) {
  const auto& digits = plan[step.level];
  const uint32_t d = step.digit, count = static_cast<uint32_t>(digits.size());
  NetFeatures features{};
  auto input = features.begin();
  *input++ = 256;
  for (const Neighbour n : {kLeftLeft, kUpUp, kBefore}) {
    *input++ = Centered((*step.neighbours[n])[d], digits[d].radix);
  }
  if (step.level > 0 && d < plan[step.level - 1].size()) {
    *input = Centered((*step.neighbours[kLevelAbove])[d], plan[step.level - 1][d].radix);
  }
  ++input;
  for (uint32_t back = 1; back <= kOwn; ++back, ++input) {
    if (back <= d) *input = Centered(step.own[d - back], digits[d - back].radix);
  }
  for (const Neighbour n : {kLeft, kUp, kUpLeft, kUpRight}) {
    for (uint32_t i = 0; i < kAround; ++i, ++input) {
      const uint32_t other = (d + i) % count;
      if (i < count) *input = Centered((*step.neighbours[n])[other], digits[other].radix);
    }
  }
  for (size_t unit = 0; unit < kNetHidden; ++unit, weights += kNetInputs) {
    int32_t sum = 0;
    for (size_t i = 0; i < kNetInputs; ++i) sum += int32_t{weights[i]} * features[i];
    features[kNetInputs + unit] = static_cast<int16_t>(std::clamp(sum >> 12, 0, kNetMaxUnit));
  }
  return features;
}

NetLearner::NetLearner(std::span<const int16_t> weights) {
  for (const int16_t weight : weights) fine.push_back(int32_t{weight} * 16);
}

void NetLearner::Learn(const NetFeatures& features, std::span<const NodeError> errors, int32_t rate,
                       size_t first, std::vector<int16_t>& weights) {
  std::array<int64_t, kNetHidden> blame{};
  for (const NodeError& at : errors) {
    const size_t row = first + kNetHidden * kNetInputs + at.node * kNetFeatures;
    for (size_t unit = 0; unit < kNetHidden; ++unit) {
      blame[unit] += int64_t{at.error} * weights[row + kNetInputs + unit];
    }
    const int32_t step = (at.error * rate) >> 3;
    for (size_t i = 0; i < kNetFeatures; ++i) {
      Move(fine[row + i], weights[row + i], (step * features[i] + (1 << 16)) >> 17);
    }
  }
  for (size_t unit = 0; unit < kNetHidden; ++unit) {
    const int32_t value = features[kNetInputs + unit];
    if (value <= 0 || value >= kNetMaxUnit) continue;
    const int32_t step =
        static_cast<int32_t>(std::clamp<int64_t>((blame[unit] >> 12) * rate, -(1 << 22), 1 << 22)) >> 3;
    const size_t row = first + unit * kNetInputs;
    for (size_t i = 0; i < kNetInputs; ++i) {
      Move(fine[row + i], weights[row + i], (step * features[i] + (1 << 16)) >> 17);
    }
  }
}

}  // namespace vqc
