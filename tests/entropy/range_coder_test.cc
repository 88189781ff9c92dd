// SPDX-License-Identifier: Apache-2.0
#include "entropy/range_coder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace vqc {
namespace {

struct Coded {
  std::vector<uint8_t> bytes;
  double ideal_bits = 0;
};

Coded EncodeAll(const std::vector<uint32_t>& symbols, const FrequencyTable& table) {
  Coded coded;
  RangeEncoder encoder;
  for (const uint32_t symbol : symbols) {
    encoder.Encode(table.Of(symbol));
    coded.ideal_bits += kTableBits - std::log2(table.Of(symbol).size);
  }
  coded.bytes = std::move(encoder).Finish();
  return coded;
}

std::vector<uint32_t> DecodeAll(std::span<const uint8_t> bytes, size_t count, const FrequencyTable& table,
                                Status* end) {
  RangeDecoder decoder(bytes);
  std::vector<uint32_t> symbols;
  for (size_t i = 0; i < count; ++i) {
    symbols.push_back(table.SymbolAt(decoder.Quantile()));
    decoder.Consume(table.Of(symbols.back()));
  }
  *end = decoder.Finish();
  return symbols;
}

std::vector<uint32_t> Draw(const FrequencyTable& table, size_t count, std::mt19937& random) {
  std::vector<uint32_t> symbols;
  for (size_t i = 0; i < count; ++i) symbols.push_back(table.SymbolAt(random() >> (32 - kTableBits)));
  return symbols;
}

TEST(FrequencyTable, NoSymbolHasSizeZeroAndAllSizesSumToTheTotal) {
  std::mt19937 random(1);
  const uint64_t scales[] = {1, 3, 1000, 1ull << 33, UINT64_MAX / 2};
  for (const uint32_t n : {1u, 2u, 5u, 300u, 65536u, kMaxAlphabet}) {
    for (const uint64_t scale : scales) {
      std::vector<uint64_t> counts(n);
      for (auto& count : counts) count = random() % 4 == 0 ? 0 : scale;
      const auto table = FrequencyTable::FromCounts(counts);
      ASSERT_TRUE(table.ok());
      uint64_t end = 0;
      for (uint32_t i = 0; i < n; ++i) {
        ASSERT_EQ(table->Of(i).start, end);
        ASSERT_GT(table->Of(i).size, 0u);
        end += table->Of(i).size;
      }
      ASSERT_EQ(end, kTableTotal);
      EXPECT_EQ(table->SymbolAt(0), 0u);
      EXPECT_EQ(table->SymbolAt(kTableTotal - 1), n - 1);
    }
  }
}

TEST(FrequencyTable, FollowsTheCounts) {
  const uint64_t counts[] = {1, 0, 3};
  const auto table = FrequencyTable::FromCounts(counts);
  ASSERT_TRUE(table.ok());
  EXPECT_NEAR(table->Of(0).size, kTableTotal / 4.0, 4);
  EXPECT_EQ(table->Of(1).size, 1u);
  EXPECT_NEAR(table->Of(2).size, kTableTotal * 0.75, 4);
}

TEST(FrequencyTable, RefusesNoSymbolsAndTooMany) {
  EXPECT_FALSE(FrequencyTable::FromCounts({}).ok());
  EXPECT_FALSE(FrequencyTable::FromCounts(std::vector<uint64_t>(kMaxAlphabet + 1, 1)).ok());
}

TEST(RangeCoder, RoundTripsWithinTwoBytesOfTheIdeal) {
  std::mt19937 random(2);
  for (const uint32_t n : {2u, 3u, 17u, 256u, 100'000u, kMaxAlphabet}) {
    for (const size_t length : {0u, 1u, 2u, 7u, 300u, 5000u}) {
      std::vector<uint64_t> counts(n);
      for (auto& count : counts) count = 1 + (random() % 1000) * (random() % 1000);
      const auto table = FrequencyTable::FromCounts(counts);
      ASSERT_TRUE(table.ok());
      const auto symbols = Draw(*table, length, random);
      const Coded coded = EncodeAll(symbols, *table);
      EXPECT_LE(static_cast<double>(coded.bytes.size()) * 8, coded.ideal_bits + 16);
      Status end;
      EXPECT_EQ(DecodeAll(coded.bytes, length, *table, &end), symbols);
      EXPECT_TRUE(end.ok());
    }
  }
}

// The rarest symbols again and again: the longest carries and the narrowest intervals.
TEST(RangeCoder, ExtremeTablesRoundTrip) {
  for (const uint64_t rare : {0ull, 1ull}) {
    const uint64_t counts[] = {rare, 1u << 30, rare};
    const auto table = FrequencyTable::FromCounts(counts);
    ASSERT_TRUE(table.ok());
    for (const uint32_t first : {0u, 1u, 2u}) {
      for (const uint32_t rest : {0u, 1u, 2u}) {
        std::vector<uint32_t> symbols(2000, rest);
        symbols[0] = first;
        symbols[1000] = first;
        const Coded coded = EncodeAll(symbols, *table);
        EXPECT_LE(static_cast<double>(coded.bytes.size()) * 8, coded.ideal_bits + 16);
        Status end;
        EXPECT_EQ(DecodeAll(coded.bytes, symbols.size(), *table, &end), symbols);
        EXPECT_TRUE(end.ok());
      }
    }
  }
}

TEST(RangeCoder, BytesAfterTheEndGiveOtherSymbolsOrAnError) {
  std::mt19937 random(3);
  const uint64_t counts[] = {5, 1, 9, 2};
  const auto table = FrequencyTable::FromCounts(counts);
  ASSERT_TRUE(table.ok());
  for (size_t length = 0; length < 200; ++length) {
    const auto symbols = Draw(*table, length, random);
    auto bytes = EncodeAll(symbols, *table).bytes;
    for (const int extra : {0, 1, 128, 255}) {
      auto longer = bytes;
      longer.push_back(static_cast<uint8_t>(extra));
      Status end;
      const auto decoded = DecodeAll(longer, length, *table, &end);
      EXPECT_TRUE(!end.ok() || (extra != 0 && decoded != symbols)) << length << " symbols, byte " << extra;
    }
  }
}

// A decoder of damaged bytes gives symbols of the table, and either other ones or an error.
TEST(RangeCoder, DamageGivesOtherSymbolsOrAnError) {
  std::mt19937 random(4);
  const uint64_t counts[] = {5, 1, 9, 2};
  const auto table = FrequencyTable::FromCounts(counts);
  ASSERT_TRUE(table.ok());
  const auto symbols = Draw(*table, 300, random);
  const auto bytes = EncodeAll(symbols, *table).bytes;
  Status end;
  for (size_t kept = 0; kept < bytes.size(); ++kept) {
    const auto decoded = DecodeAll(std::span(bytes).first(kept), symbols.size(), *table, &end);
    EXPECT_TRUE(decoded != symbols || !end.ok()) << "cut to " << kept;
  }
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    auto flipped = bytes;
    flipped[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    const auto decoded = DecodeAll(flipped, symbols.size(), *table, &end);
    EXPECT_TRUE(decoded != symbols || !end.ok()) << "bit " << bit;
  }
  const std::vector<uint8_t> ones(64, 0xFF);
  DecodeAll(ones, 300, *table, &end);
  EXPECT_FALSE(end.ok());
}

}  // namespace
}  // namespace vqc
