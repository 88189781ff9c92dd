// SPDX-License-Identifier: Apache-2.0
#include "entropy/row_coder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace vqc {
namespace {

struct Rows {
  std::vector<uint16_t> weights;
  std::vector<uint32_t> symbols;
  double bits = 0;
};

// Symbols drawn as their rows say; a third of the weights are 0.
Rows RandomRows(size_t width, size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  Rows rows;
  for (size_t i = 0; i < count; ++i) {
    uint64_t sum = 0;
    const size_t first = rows.weights.size();
    for (size_t k = 0; k < width; ++k) {
      rows.weights.push_back(random() % 3 ? static_cast<uint16_t>(random() >> (16 + random() % 16)) : 0);
      sum += rows.weights.back();
    }
    if (sum == 0) sum = rows.weights[first + random() % width] = 1;
    uint64_t at = random() % sum;
    uint32_t symbol = 0;
    while (at >= rows.weights[first + symbol]) at -= rows.weights[first + symbol++];
    rows.symbols.push_back(symbol);
    rows.bits += std::log2(static_cast<double>(sum) / rows.weights[first + symbol]);
  }
  return rows;
}

TEST(RowCoder, RoundTripsAtWhatTheRowsSay) {
  for (const size_t width : {1u, 2u, 63u, 64u, 65u, 1000u, 1024u, 65536u}) {
    const size_t count = width > 1024 ? 20 : 300;
    const Rows rows = RandomRows(width, count, 1);
    const auto bytes = EncodeRows(rows.weights, width, rows.symbols);
    ASSERT_TRUE(bytes.ok()) << bytes.error().message;
    EXPECT_LE(8.0 * static_cast<double>(bytes->size()), rows.bits * 1.0001 + 9);
    std::vector<uint32_t> back(count);
    ASSERT_TRUE(DecodeRows(*bytes, rows.weights, width, back).ok()) << width;
    EXPECT_EQ(back, rows.symbols);
  }
}

TEST(RowCoder, RefusesWhatCannotBeCoded) {
  const std::vector<uint16_t> rows = {1, 0, 5, 0, 0, 0};
  const auto refused = [&](size_t width, std::vector<uint32_t> symbols) {
    return !EncodeRows(rows, width, symbols).ok();
  };
  EXPECT_TRUE(refused(3, {1, 0}));
  EXPECT_TRUE(refused(3, {3, 0}));
  EXPECT_TRUE(refused(3, {0}));
  EXPECT_TRUE(refused(4, {0}));
  EXPECT_TRUE(refused(0, {}));
  std::vector<uint32_t> back(2);
  EXPECT_FALSE(DecodeRows({}, rows, 3, back).ok());
  EXPECT_FALSE(DecodeRows({}, rows, 4, back).ok());
  EXPECT_FALSE(RowDecoder({}).Next({}).ok());
}

TEST(RowCoder, DamageIsAnErrorOrOtherSymbols) {
  const Rows rows = RandomRows(50, 60, 2);
  const auto bytes = *EncodeRows(rows.weights, 50, rows.symbols);
  std::vector<uint32_t> back(60);
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    auto damaged = bytes;
    damaged[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    if (DecodeRows(damaged, rows.weights, 50, back).ok()) {
      ASSERT_NE(back, rows.symbols);
    }
  }
  for (size_t kept = 0; kept < bytes.size(); ++kept) {
    if (DecodeRows(std::span<const uint8_t>(bytes).first(kept), rows.weights, 50, back).ok()) {
      ASSERT_NE(back, rows.symbols);
    }
  }
}

}  // namespace
}  // namespace vqc
