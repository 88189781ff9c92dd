// SPDX-License-Identifier: Apache-2.0
// NeuralExpert: the integer network along a raster walk over a chunk, one digit after another.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/tokens.h"
#include "entropy/digits.h"
#include "entropy/neural_network.h"

namespace vqc {

// A distribution in proportion to exp(logit / 2048), and the log odds that it gives the nodes of a digit's
// tree (entropy/digit_tree.h), in 1/256 nats.
using DigitCounts = std::array<uint64_t, kMaxRadix>;
DigitCounts CountsOf(const int32_t* logits, uint32_t radix);
void LogOddsOf(const DigitCounts& counts, uint32_t radix, int32_t* nodes);

// Which tokens of a map are known, and their digits.
class KnownTokens {
 public:
  KnownTokens(const NeuralShape& shape, uint32_t height, uint32_t width)
      : shape_(shape),
        height_(height),
        width_(width),
        rows_(size_t{height} * width * shape.Digits(), kUnknown) {}

  void Set(size_t position, uint32_t digit, uint32_t value) {
    rows_[position * shape_.Digits() + digit] = shape_.FirstRow(digit) + value;
  }
  bool Known(size_t position) const { return rows_[(position + 1) * shape_.Digits() - 1] != kUnknown; }
  // Rows of the known tokens around, for NeuralNetwork::Look.
  void Around(size_t position, std::vector<uint32_t>& rows) const;

 private:
  static constexpr uint32_t kUnknown = UINT32_MAX;
  NeuralShape shape_;
  uint32_t height_, width_;
  std::vector<uint32_t> rows_;  // [position][digit]
};

class NeuralExpert {
 public:
  explicit NeuralExpert(std::shared_ptr<const NeuralNetwork> network) : network_(std::move(network)) {}

  // REQUIRES: one level, at least one token
  void Begin(const TokenShape& shape);
  // Right after Begin: goes on at a token, of those before nothing is known.
  void SkipTo(uint32_t token);
  // The distribution of the next digit, in raster order.
  DigitCounts Predict();
  void Observe(uint32_t value);

 private:
  std::shared_ptr<const NeuralNetwork> network_;
  std::vector<KnownTokens> frame_;  // one: of the time at hand
  size_t positions_ = 0, position_ = 0;
  uint32_t height_ = 1, width_ = 1;
  std::vector<uint32_t> rows_, values_;
  NeuralUnits units_;
};

}  // namespace vqc
