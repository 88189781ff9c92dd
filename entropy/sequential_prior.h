// SPDX-License-Identifier: Apache-2.0
// SequentialPrior: the walk that all integer priors share. Tokens go in raster order (time, row, column,
// level), each digit by digit, every group is one digit. The walk keeps what is needed of the tokens before.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "entropy/digits.h"
#include "entropy/prior.h"

namespace vqc {

// Number of tokens of the shape where it is 1 .. 2^31 - 1.
std::optional<uint32_t> CountOf(const TokenShape& shape);

// Digits of one token, each value + 1; 0 where there is no token or the digit is not known yet.
using TokenDigits = std::array<uint8_t, kMaxDigits>;

enum Neighbour : int {
  kLeft,
  kUp,
  kUpLeft,
  kUpRight,
  kLeftLeft,
  kUpUp,
  kBefore,      // the same place at the time before
  kLevelAbove,  // the same place in the level before
  kNeighbours
};

// What is known when a digit is predicted.
struct Step {
  uint32_t level = 0, digit = 0;
  uint32_t alphabet = 1;  // values that are still possible, from 0 on
  uint32_t above = 0;     // of the digit's factor: what the digits above it give
  const Digit* info = nullptr;
  TokenDigits own{};  // digits of this token so far
  std::array<const TokenDigits*, kNeighbours> neighbours{};
};

class SequentialPrior : public Prior {
 public:
  explicit SequentialPrior(Factors factors) : factors_(std::move(factors)) {}

  Status Begin(const TokenShape& shape, std::span<const uint32_t> vocab) final;
  Status SkipTo(uint32_t token) override;
  Result<Group> NextGroup() final;
  void Observe(std::span<const uint32_t> values) final;

 protected:
  // Called once a chunk. The plan stays valid until the next Begin.
  virtual Status Start(const TokenShape& shape, const DigitPlan& plan) = 0;
  // Sets the table of a digit, of step.alphabet >= 2 symbols.
  virtual void Predict(const Step& step, FrequencyTable& table) = 0;
  virtual void Update(const Step& step, uint32_t value) = 0;

 private:
  bool Advance();
  void EnterToken();
  void Record(uint32_t value);
  TokenDigits& At(uint32_t t, uint32_t y, uint32_t x, uint32_t level);

  Factors factors_;
  DigitPlan plan_;
  TokenShape shape_;
  uint32_t rows_ = 0;                 // rows kept
  std::vector<TokenDigits> history_;  // [row modulo rows_][x][level]
  uint32_t t_ = 0, y_ = 0, x_ = 0, level_ = 0, token_ = 0;
  bool entered_ = false, done_ = true;
  Step step_;
  TokenPart part_{};
  FrequencyTable table_;
};

// Drives `prior` through all of `tokens`, as coding them does: how priors are trained.
Status Replay(SequentialPrior& prior, const Tokens& tokens);

}  // namespace vqc
