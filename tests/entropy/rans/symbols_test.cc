// SPDX-License-Identifier: Apache-2.0
#include "entropy/rans/symbols.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "entropy/rans/band_split.h"
#include "entropy/rans/lanes.h"
#include "tests/entropy/rans/symbol_streams.h"

namespace vqc::rans {
namespace {

std::vector<uint8_t> Coded(std::span<const uint32_t> symbols, uint32_t alphabet,
                           size_t* table_bytes = nullptr) {
  ByteWriter out;
  EncodeSymbols(symbols, alphabet, out, table_bytes);
  return std::move(out).Take();
}

TEST(Symbols, ComeBackForEveryAlphabetAndLength) {
  for (const uint32_t alphabet : {2u, 3u, 16u, 1000u, 1024u, 4097u, 65536u, 1u << 20}) {
    for (const size_t length : {1u, 3u, 4u, 5u, 1000u, 32767u, 32768u, 40001u}) {
      for (const auto& symbols : {SkewedSymbols(alphabet, length, 1), UniformSymbols(alphabet, length, 2),
                                  std::vector<uint32_t>(length, alphabet - 1)}) {
        const auto bytes = Coded(symbols, alphabet);
        ByteReader in(bytes);
        std::vector<uint32_t> back(length);
        const Status read = DecodeSymbols(alphabet, in, back);
        ASSERT_TRUE(read.ok()) << alphabet << " x " << length << ": " << read.error().message;
        ASSERT_EQ(in.remaining(), 0u);
        ASSERT_EQ(back, symbols) << alphabet << " x " << length;
      }
    }
  }
}

TEST(Symbols, TakeTheirEntropyAndTheirTable) {
  for (const uint32_t alphabet : {16u, 1024u, 16384u, 262144u}) {
    const auto symbols = SkewedSymbols(alphabet, 1u << 20, 3);
    size_t table_bytes = 0;
    const auto bytes = Coded(symbols, alphabet, &table_bytes);
    const double entropy = EntropyBits(symbols, alphabet) / 8;
    EXPECT_LE(static_cast<double>(bytes.size() - table_bytes), 1.0025 * entropy) << alphabet;
    EXPECT_LE(table_bytes, 400 + alphabet) << alphabet;
  }
}

// One symbol nearly always: no 12-bit table could tell how nearly.
TEST(Symbols, ThatAreNearlyAlwaysTheSameCostNextToNothing) {
  std::vector<uint32_t> symbols(1u << 18, 7);
  for (size_t i = 0; i < 20; ++i) symbols[i * 13000 + 5] = static_cast<uint32_t>(i);
  EXPECT_LE(Coded(symbols, 1024).size(), 500u);
}

TEST(Symbols, EveryCutIsRefused) {
  const auto bytes = Coded(SkewedSymbols(300, 700, 4), 300);
  for (size_t kept = 0; kept < bytes.size(); ++kept) {
    ByteReader in{std::span<const uint8_t>(bytes).first(kept)};
    std::vector<uint32_t> back(700);
    ASSERT_FALSE(DecodeSymbols(300, in, back).ok()) << kept;
  }
}

// A flipped bit is an error or, in the plain bits, another symbol.
TEST(Symbols, FlippedBitsAreNeverTheSameSymbols) {
  const auto symbols = SkewedSymbols(300, 700, 5);
  const auto bytes = Coded(symbols, 300);
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    auto damaged = bytes;
    damaged[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    ByteReader in(damaged);
    std::vector<uint32_t> back(700);
    if (!DecodeSymbols(300, in, back).ok() || in.remaining() > 0) continue;
    ASSERT_NE(back, symbols) << bit;
  }
}

Status ReadBands(uint32_t coarse_bits, uint64_t bands, std::vector<uint64_t> packed, uint32_t alphabet) {
  ByteWriter out;
  out.U8(static_cast<uint8_t>(coarse_bits));
  out.Varint(bands);
  for (const uint64_t band : packed) out.Varint(band);
  ByteReader in(out.bytes());
  const auto table = ReadTable(alphabet, in);
  if (!table.ok()) return table.error();
  return {};
}

TEST(Symbols, MaliciousTablesAreRefused) {
  const auto refused = [](const Status& status, const std::string& why) {
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, ErrorCode::kCorruptData);
    EXPECT_NE(status.error().message.find(why), std::string::npos) << status.error().message;
  };
  EXPECT_TRUE(ReadBands(0, 0, {0 << 4 | 3}, 8).ok());
  refused(ReadBands(1, 0, {0 << 4 | 3}, 8), "sums to 1 instead of 2");
  refused(ReadBands(1, 1, {0 << 4, 1 << 4}, 8), "sums to 3 instead of 2");
  refused(ReadBands(17, 0, {0}, 8), "17 bits");
  refused(ReadBands(255, 0, {0}, 8), "255 bits");
  refused(ReadBands(0, 0, {0 << 4 | 4}, 8), "holds 16 symbols, the vocabulary has 8");
  refused(ReadBands(16, 0, {65535ull << 4}, 8), "frequency above");
  refused(ReadBands(16, 0, {UINT64_MAX}, 8), "frequency above");
  refused(ReadBands(12, UINT64_MAX, {0, 0, 0}, 8), "cut off");
  refused(ReadBands(12, 4096, std::vector<uint64_t>(4097, 0), 1 << 20), "cut off");
  refused(ReadBands(12, 200, {0, 0, 0}, 8), "cut off");
}

TEST(BandSplit, SortsByCountAndThenBySymbol) {
  const std::vector<uint32_t> counts = {0, 5, 1u << 31, 5, 0, 4000, 1};
  EXPECT_EQ(ByFallingCount(counts, true), (std::vector<uint32_t>{2, 5, 1, 3, 6, 0, 4}));
  EXPECT_EQ(ByFallingCount(counts, false), (std::vector<uint32_t>{2, 5, 1, 3, 6}));
}

TEST(BandSplit, LogarithmIsRoundedDown) {
  for (const uint64_t value : {1ull, 2ull, 3ull, 1000ull, 65535ull, 1ull << 40, (1ull << 40) + 12345}) {
    const double exact = std::log2(static_cast<double>(value)) * 65536;
    EXPECT_LE(static_cast<double>(Log2Fixed(value)), exact + 1e-9) << value;
    EXPECT_GE(static_cast<double>(Log2Fixed(value)), exact - 1.01) << value;
  }
}

// Counts made to give as many bands as possible stay within what a table can hold.
TEST(BandSplit, NeverMakesTooManyBands) {
  std::vector<uint32_t> counts(1u << 20);
  for (size_t i = 0; i < counts.size(); ++i) counts[i] = static_cast<uint32_t>((i * 2654435761u) >> (i % 12));
  for (uint32_t& count : counts) count >>= 8;
  for (const uint32_t evenness : {1u, 7u, 64u}) {
    const auto table = SplitBands(counts, ByFallingCount(counts, true), {4, 1}, evenness, 12);
    EXPECT_TRUE(CheckBands(table.coarse_bits, table.bands, 1u << 20).ok());
    EXPECT_EQ(table.symbols.size(), counts.size());
  }
}

}  // namespace
}  // namespace vqc::rans
