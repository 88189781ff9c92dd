// SPDX-License-Identifier: Apache-2.0
// exp in integers: what a distribution in proportion to exp(logit) counts.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace vqc {
namespace internal {

constexpr size_t kExpSteps = 4096;  // 16 nats in steps of 1/256

// round(2^24 * exp(-i / 256)), with integers alone.
constexpr std::array<uint32_t, kExpSteps> MakeExpTable() {
  constexpr uint64_t kDecay = 4278222805ull;  // round(exp(-1 / 256) * 2^32)
  std::array<uint32_t, kExpSteps> table{};
  uint64_t decayed = 1ull << 32;
  for (uint32_t& entry : table) {
    entry = static_cast<uint32_t>((decayed + (1u << 7)) >> 8);
    decayed = (decayed * kDecay + (1ull << 31)) >> 32;
  }
  return table;
}
inline constexpr auto kExp = MakeExpTable();

}  // namespace internal

// 2^24 * exp(-below / 256), rounded, at least 1.
constexpr uint32_t ExpCount(size_t below) {
  return below < internal::kExpSteps ? std::max(internal::kExp[below], 1u) : 1;
}

}  // namespace vqc
