// SPDX-License-Identifier: Apache-2.0
// What pages of Parquet code; the examples of deltas are those of Encodings.md of apache/parquet-format.
#include <gtest/gtest.h>

#include <memory>
#include <span>
#include <string>

#include "data/tables/parquet_coding.h"

namespace vqc {
namespace {

using Bytes = std::vector<uint8_t>;
using Ids = std::vector<uint32_t>;
using Numbers = std::vector<int64_t>;

constexpr uint64_t kMost = 1 << 20;

std::string Text(std::span<const uint8_t> bytes) { return {bytes.begin(), bytes.end()}; }

Result<ParquetValues> Decode(Bytes page, size_t count, ParquetType type, size_t width, int64_t encoding,
                             std::shared_ptr<const ParquetValues> dictionary = nullptr) {
  return DecodeValues(std::move(page), 0, count, {type, width, encoding, kMost}, std::move(dictionary));
}

TEST(Runs, RunsAndPacks) {
  EXPECT_EQ(ReadRuns(Bytes{6, 2}, 2, 3), (Ids{2, 2, 2}));
  EXPECT_EQ(ReadRuns(Bytes{3, 0x88, 0xC6, 0xFA}, 3, 8), (Ids{0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(ReadRuns(Bytes{}, 0, 4), (Ids{0, 0, 0, 0}));
  EXPECT_EQ(ReadRuns(Bytes{6, 2}, 2, 4), std::nullopt);   // too few
  EXPECT_EQ(ReadRuns(Bytes{0, 2}, 2, 4), std::nullopt);   // an empty run
  EXPECT_EQ(ReadRuns(Bytes{6, 2}, 33, 3), std::nullopt);  // too wide
  EXPECT_EQ(ReadRuns(Bytes{3}, 3, 8), std::nullopt);      // cut off
}

TEST(Deltas, BlocksOfPacks) {
  // 7, 5, 3, 1, 2, 3, 4, 5: deltas -2 and 1, the least of which is -2; packed as 0 and 3 in two bits.
  const Bytes coded = {128, 1, 4, 8, 14, 3, 2, 0, 0, 0, 0xC0, 0x3F, 0, 0, 0, 0, 0, 0};
  ByteReader reader(coded);
  EXPECT_EQ(ReadDeltas(reader, 8), (Numbers{7, 5, 3, 1, 2, 3, 4, 5}));
  EXPECT_EQ(reader.remaining(), 0u);
  for (size_t cut = 0; cut < coded.size(); ++cut) {
    const std::span<const uint8_t> all(coded);
    ByteReader part(all.first(cut));
    EXPECT_EQ(ReadDeltas(part, 8), std::nullopt) << cut;
  }
  ByteReader other(coded);
  EXPECT_EQ(ReadDeltas(other, 9), std::nullopt);
  const Bytes wide = {128, 1, 4, 8, 14, 3, 65, 0, 0, 0};
  ByteReader too_wide(wide);
  EXPECT_EQ(ReadDeltas(too_wide, 8), std::nullopt);
  const Bytes wrapping = {128,  1,    4,    2, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                          0xFF, 0xFF, 0xFF, 1, 1,    0,    0,    0,    0};
  ByteReader wraps(wrapping);  // the least number, and one less
  EXPECT_EQ(ReadDeltas(wraps, 2), (Numbers{INT64_MIN, INT64_MAX}));
}

TEST(Values, BytesWithLengthsAndSharedBeginnings) {
  const Bytes lengths = {128, 1, 4, 2, 10, 2, 0, 0, 0, 0};  // 5 and 6
  Bytes page = lengths;
  for (const char c : std::string("HelloWorld!")) page.push_back(static_cast<uint8_t>(c));
  const auto words = Decode(page, 2, ParquetType::kByteArray, 0, 6);
  ASSERT_TRUE(words.ok());
  EXPECT_EQ(Text((*words)[0]) + "|" + Text((*words)[1]), "Hello|World!");
  page.pop_back();
  EXPECT_FALSE(Decode(page, 2, ParquetType::kByteArray, 0, 6).ok());

  Bytes shared = {128, 1, 4, 2, 0, 6, 0, 0, 0, 0};                 // 0 and 3
  shared.insert(shared.end(), {128, 1, 4, 2, 10, 3, 0, 0, 0, 0});  // 5 and 3 more
  for (const char c : std::string("axisyle")) shared.push_back(static_cast<uint8_t>(c));
  shared.push_back('!');
  const auto both = Decode(shared, 2, ParquetType::kByteArray, 0, 7);
  ASSERT_TRUE(both.ok()) << both.error().message;
  EXPECT_EQ(Text((*both)[0]) + "|" + Text((*both)[1]), "axisy|axile!");
}

// Each value is all of the one before and a byte more: bytes of a page that stand for a square of them.
TEST(Values, SharedBeginningsAreBounded) {
  constexpr size_t kCount = 4096;
  ByteWriter page;
  for (const uint64_t first : {0u, 2u}) {  // shared: 0, 1, 2 ...; of one byte each
    page.Varint(kCount);
    page.Varint(1);
    page.Varint(kCount);
    page.Varint(first);
    page.Varint(first == 0 ? 2 : 0);
    page.U8(0);
  }
  for (size_t i = 0; i < kCount; ++i) page.U8('a');
  const Bytes bytes(page.bytes().begin(), page.bytes().end());
  EXPECT_FALSE(Decode(bytes, kCount, ParquetType::kByteArray, 0, 7).ok());
  EXPECT_TRUE(DecodeValues(bytes, 0, kCount, {ParquetType::kByteArray, 0, 7, 16 * kMost}, nullptr).ok());
}

TEST(Values, DictionariesAreAsked) {
  auto words = Decode({2, 0, 0, 0, 'h', 'i', 1, 0, 0, 0, 'x'}, 2, ParquetType::kByteArray, 0, 0);
  ASSERT_TRUE(words.ok());
  const auto dictionary = std::make_shared<const ParquetValues>(std::move(*words));
  const auto values = Decode({1, 4, 1, 2, 0}, 3, ParquetType::kByteArray, 0, 8, dictionary);
  ASSERT_TRUE(values.ok());
  EXPECT_EQ(Text((*values)[0]) + Text((*values)[1]) + Text((*values)[2]), "xxhi");
  EXPECT_FALSE(Decode({2, 6, 2}, 3, ParquetType::kByteArray, 0, 8, dictionary).ok());  // there is no third
  EXPECT_FALSE(Decode({1, 6, 1}, 3, ParquetType::kByteArray, 0, 8).ok());              // there is none
}

TEST(Values, WhatIsNotReadIsNamed) {
  for (const auto& [type, width, encoding] :
       {std::tuple(ParquetType::kInt32, 4, 4), std::tuple(ParquetType::kFloat, 4, 5),
        std::tuple(ParquetType::kInt32, 4, 6), std::tuple(ParquetType::kByteArray, 0, 9)}) {
    const auto values = Decode(Bytes(64), 1, type, static_cast<size_t>(width), encoding);
    ASSERT_FALSE(values.ok());
    EXPECT_NE(values.error().message.find("encoding " + std::to_string(encoding)), std::string::npos);
  }
}

}  // namespace
}  // namespace vqc
