// SPDX-License-Identifier: Apache-2.0
// Token maps for tests, the same on every machine.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "base/tokens.h"
#include "entropy/digits.h"

namespace vqc {

inline uint32_t Product(const std::vector<uint32_t>& factors) {
  uint32_t product = 1;
  for (const uint32_t factor : factors) product *= factor;
  return product;
}

// Independent, equally likely ids.
inline Tokens RandomMap(TokenShape shape, std::vector<uint32_t> vocab, uint32_t seed) {
  std::mt19937 random(seed);
  Tokens tokens{shape, std::move(vocab), {}};
  for (size_t i = 0; i < shape.Count(); ++i) tokens.ids.push_back(random() % tokens.vocab[i % shape.levels]);
  return tokens;
}

// Digits that follow their neighbours to the left and above, and each other, as those of a photo do.
inline Tokens SmoothMap(TokenShape shape, const std::vector<uint32_t>& factors, uint32_t seed) {
  std::mt19937 random(seed);
  Tokens tokens{shape, std::vector<uint32_t>(shape.levels, Product(factors)), {}};
  const size_t n = factors.size();
  std::vector<std::vector<uint32_t>> digits(shape.Count(), std::vector<uint32_t>(n));
  for (size_t i = 0; i < shape.Count(); ++i) {
    const size_t row = size_t{shape.w} * shape.levels;
    uint32_t id = 0, divisor = 1;
    for (size_t j = 0; j < n; ++j) {
      int around = static_cast<int>(factors[j] / 2), seen = 0;
      if (i >= shape.levels) around = static_cast<int>(digits[i - shape.levels][j]), seen = 1;
      if (i >= row) around = (around * seen + static_cast<int>(digits[i - row][j])) / (seen + 1);
      const int noise = static_cast<int>(random() % 5) / 2 - 1 + (j > 0 && digits[i][j - 1] == 0 ? 1 : 0);
      digits[i][j] = static_cast<uint32_t>(std::clamp(around + noise, 0, static_cast<int>(factors[j]) - 1));
      id += digits[i][j] * divisor;
      divisor *= factors[j];
    }
    tokens.ids.push_back(id);
  }
  return tokens;
}

}  // namespace vqc
