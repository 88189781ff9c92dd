// SPDX-License-Identifier: Apache-2.0
// The logistic function and its inverse in integers: probabilities of 16 bits, log odds in 1/256 nats.
// The tables are computed at compile time with integer arithmetic alone, so they are equal everywhere.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace vqc {

constexpr int kLogOddsLimit = 2047;  // in 1/256 nats: 8 nats, a probability of 1 in 2980

namespace internal {

// round(65536 / (1 + exp(-x / 256))) for x = -2047 .. 2047, index x + 2047.
constexpr std::array<uint16_t, 2 * kLogOddsLimit + 1> MakeSquashTable() {
  constexpr uint64_t kOne = 1ull << 32;
  constexpr uint64_t kDecay = 4278222805ull;  // round(exp(-1 / 256) * 2^32)
  std::array<uint16_t, 2 * kLogOddsLimit + 1> table{};
  uint64_t decayed = kOne;  // exp(-x / 256) * 2^32
  for (int x = 0; x <= kLogOddsLimit; ++x) {
    const uint64_t sum = kOne + decayed;
    const uint64_t p = ((kOne << 16) + sum / 2) / sum;
    table[static_cast<size_t>(kLogOddsLimit + x)] = static_cast<uint16_t>(p);
    table[static_cast<size_t>(kLogOddsLimit - x)] = static_cast<uint16_t>(65536 - p);
    decayed = (decayed * kDecay + (kOne >> 1)) >> 32;
  }
  return table;
}
inline constexpr auto kSquash = MakeSquashTable();

// The log odds of probability (i + 1/2) / 4096.
constexpr std::array<int16_t, 4096> MakeStretchTable() {
  std::array<int16_t, 4096> table{};
  int x = -kLogOddsLimit;
  for (int i = 0; i < 4096; ++i) {
    while (x < kLogOddsLimit && kSquash[static_cast<size_t>(x + kLogOddsLimit)] < i * 16 + 8) ++x;
    table[static_cast<size_t>(i)] = static_cast<int16_t>(x);
  }
  return table;
}
inline constexpr auto kStretch = MakeStretchTable();

}  // namespace internal

// Probability in 1/65536 of log odds in 1/256 nats, limited to +-kLogOddsLimit.
constexpr int32_t Squash(int64_t x) {
  x = x > kLogOddsLimit ? kLogOddsLimit : x < -kLogOddsLimit ? -kLogOddsLimit : x;
  return internal::kSquash[static_cast<size_t>(x + kLogOddsLimit)];
}

// REQUIRES: 0 <= p < 65536
constexpr int32_t Stretch(int32_t p) { return internal::kStretch[static_cast<size_t>(p) >> 4]; }

}  // namespace vqc
