// SPDX-License-Identifier: Apache-2.0
#include "entropy/neural_expert.h"

#include <algorithm>
#include <utility>

#include "entropy/digit_tree.h"
#include "entropy/exp_count.h"
#include "entropy/logistic.h"

namespace vqc {
namespace {

constexpr int kLogitBits = kOutBits + kUnitBits;  // logits are in 1 / 2^kLogitBits nats
}  // namespace

DigitCounts CountsOf(const int32_t* logits, uint32_t radix) {
  const int32_t top = *std::max_element(logits, logits + radix);
  DigitCounts counts{};
  for (uint32_t value = 0; value < radix; ++value) {
    const auto below = static_cast<size_t>(int64_t{top} - logits[value]) >> (kLogitBits - 8);
    counts[value] = ExpCount(below);
  }
  return counts;
}

void LogOddsOf(const DigitCounts& counts, uint32_t radix, int32_t* nodes) {
  std::array<uint64_t, kMaxRadix + 1> below{};
  for (uint32_t value = 0; value < radix; ++value) below[value + 1] = below[value] + counts[value];
  const DigitTree& tree = kDigitTrees[radix];
  for (uint32_t k = 0; k + 1 < radix; ++k) {
    const uint64_t all = below[tree[k].high] - below[tree[k].low];
    const uint64_t upper = below[tree[k].high] - below[tree[k].middle];
    nodes[k] = Stretch(static_cast<int32_t>((upper << 16) / all));
  }
}

void KnownTokens::Around(size_t position, std::vector<uint32_t>& rows) const {
  rows.clear();
  const auto y = static_cast<int64_t>(position / width_), x = static_cast<int64_t>(position % width_);
  const int64_t r = shape_.radius;
  const uint32_t digits = shape_.Digits(), rows_of_neighbour = shape_.Rows();
  uint32_t neighbour = 0;
  for (int64_t dy = -r; dy <= r; ++dy) {
    for (int64_t dx = -r; dx <= r; ++dx) {
      if (dy == 0 && dx == 0) continue;
      const uint32_t first = rows_of_neighbour * neighbour++;
      if (y + dy < 0 || y + dy >= height_ || x + dx < 0 || x + dx >= width_) continue;
      const uint32_t* token = &rows_[static_cast<size_t>((y + dy) * width_ + x + dx) * digits];
      if (token[digits - 1] == kUnknown) continue;
      for (uint32_t k = 0; k < digits; ++k) rows.push_back(first + token[k]);
    }
  }
}

void NeuralExpert::Begin(const TokenShape& shape) {
  height_ = shape.h;
  width_ = shape.w;
  // A sequence is a row.
  if (height_ == 1 && width_ == 1) width_ = shape.t;
  positions_ = size_t{height_} * width_;
  position_ = positions_;
  values_.clear();
  frame_.clear();
}

void NeuralExpert::SkipTo(uint32_t token) {
  frame_.assign(1, KnownTokens(network_->shape(), height_, width_));
  position_ = token % positions_;
}

DigitCounts NeuralExpert::Predict() {
  if (values_.empty()) {
    if (position_ == positions_) {
      frame_.assign(1, KnownTokens(network_->shape(), height_, width_));
      position_ = 0;
    }
    frame_[0].Around(position_, rows_);
    network_->Look(rows_, units_);
  }
  int32_t logits[kMaxRadix];
  network_->Predict(units_, values_, logits);
  return CountsOf(logits, network_->shape().radices[values_.size()]);
}

void NeuralExpert::Observe(uint32_t value) {
  values_.push_back(value);
  if (values_.size() < network_->shape().Digits()) return;
  for (uint32_t k = 0; k < values_.size(); ++k) frame_[0].Set(position_, k, values_[k]);
  values_.clear();
  ++position_;
}

}  // namespace vqc
