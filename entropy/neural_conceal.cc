// SPDX-License-Identifier: Apache-2.0
#include "entropy/neural_conceal.h"

#include <utility>

#include "entropy/neural_expert.h"

namespace vqc {
namespace {

class Filler {
 public:
  Filler(const NeuralNetwork& network, const std::vector<Digit>& digits, const TokenShape& shape,
         uint32_t* ids)
      : network_(network),
        digits_(digits),
        height_(shape.h),
        width_(shape.w),
        ids_(ids),
        known_(network.shape(), shape.h, shape.w) {}

  void Fill(const uint8_t* lost) {
    std::vector<size_t> left;
    for (size_t i = 0; i < size_t{height_} * width_; ++i) lost[i] ? left.push_back(i) : Know(i);
    while (!left.empty()) {
      std::vector<size_t> rim, inside;
      for (const size_t i : left) (OnRim(i) ? rim : inside).push_back(i);
      // Nothing is known at all: one token has to be first.
      if (rim.empty()) {
        rim.push_back(inside.front());
        inside.erase(inside.begin());
      }
      for (const size_t i : rim) ids_[i] = Expected(i);
      for (const size_t i : rim) Know(i);
      left = std::move(inside);
    }
  }

 private:
  void Know(size_t i) {
    for (uint32_t k = 0; k < digits_.size(); ++k)
      known_.Set(i, k, ids_[i] / digits_[k].divisor % digits_[k].radix);
  }

  bool OnRim(size_t i) const {
    const size_t x = i % width_, y = i / width_;
    return (y > 0 && known_.Known(i - width_)) || (y + 1 < height_ && known_.Known(i + width_)) ||
           (x > 0 && known_.Known(i - 1)) || (x + 1 < width_ && known_.Known(i + 1));
  }

  uint32_t Expected(size_t i) {
    known_.Around(i, rows_);
    network_.Look(rows_, units_);
    values_.clear();
    uint32_t id = 0;
    for (const Digit& digit : digits_) {
      int32_t logits[kMaxRadix];
      network_.Predict(units_, values_, logits);
      const DigitCounts counts = CountsOf(logits, digit.radix);
      uint64_t sum = 0, total = 0;
      for (uint32_t value = 0; value < digit.radix; ++value) {
        total += counts[value];
        sum += value * counts[value];
      }
      values_.push_back(static_cast<uint32_t>((2 * sum + total) / (2 * total)));
      id += values_.back() * digit.divisor;
    }
    return id;
  }

  const NeuralNetwork& network_;
  const std::vector<Digit>& digits_;
  uint32_t height_, width_;
  uint32_t* ids_;
  KnownTokens known_;
  std::vector<uint32_t> rows_, values_;
  NeuralUnits units_;
};

}  // namespace

void ConcealWith(const NeuralNetwork& network, const std::vector<Digit>& digits, Tokens& tokens,
                 std::span<const uint8_t> lost) {
  TokenShape shape = tokens.shape;
  // A sequence is a row.
  if (shape.h == 1 && shape.w == 1) std::swap(shape.t, shape.w);
  const size_t frame = size_t{shape.h} * shape.w;
  for (uint32_t t = 0; t < shape.t; ++t) {
    Filler(network, digits, shape, &tokens.ids[t * frame]).Fill(&lost[t * frame]);
  }
}

}  // namespace vqc
