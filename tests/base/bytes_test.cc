// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace vqc {
namespace {

TEST(Bytes, FixedWidthsAreLittleEndian) {
  ByteWriter writer;
  writer.U8(0x01);
  writer.U16(0x0302);
  writer.U32(0x07060504);
  writer.U64(0x0F0E0D0C0B0A0908);
  for (size_t i = 0; i < writer.size(); ++i) EXPECT_EQ(writer.bytes()[i], i + 1);
  ByteReader reader(writer.bytes());
  EXPECT_EQ(reader.U8(), 0x01);
  EXPECT_EQ(reader.U16(), 0x0302);
  EXPECT_EQ(reader.U32(), 0x07060504u);
  EXPECT_EQ(reader.U64(), 0x0F0E0D0C0B0A0908u);
  EXPECT_TRUE(reader.ok());
  EXPECT_EQ(reader.remaining(), 0u);
}

TEST(Bytes, VarintsComeBackAtEveryWidth) {
  for (int bit = 0; bit < 64; ++bit) {
    for (const uint64_t value : {(uint64_t{1} << bit) - 1, uint64_t{1} << bit, (uint64_t{1} << bit) + 1}) {
      ByteWriter writer;
      writer.Varint(value);
      EXPECT_EQ(writer.size(), VarintSize(value));
      ByteReader reader(writer.bytes());
      EXPECT_EQ(reader.Varint(), value);
      EXPECT_TRUE(reader.ok() && reader.remaining() == 0) << value;
      for (size_t cut = 0; cut < writer.size(); ++cut) {
        ByteReader shorter(writer.bytes().first(cut));
        EXPECT_EQ(shorter.Varint(), 0u);
        EXPECT_EQ(shorter.failure(), ByteReader::Failure::kCutOff);
      }
    }
  }
  ByteWriter writer;
  writer.Varint(std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(writer.size(), kMaxVarintBytes);
  ByteReader reader(writer.bytes());
  EXPECT_EQ(reader.Varint(), std::numeric_limits<uint64_t>::max());
}

TEST(Bytes, VarintHasOneSpelling) {
  // Every string of one to three bytes that reads whole is the one that the writer makes.
  for (uint32_t length = 1; length <= 3; ++length) {
    for (uint32_t bits = 0; bits < 1u << (8 * length); ++bits) {
      const uint8_t bytes[3] = {static_cast<uint8_t>(bits), static_cast<uint8_t>(bits >> 8),
                                static_cast<uint8_t>(bits >> 16)};
      ByteReader reader(std::span(bytes, length));
      const uint64_t value = reader.Varint();
      if (!reader.ok()) continue;
      ASSERT_EQ(VarintSize(value), reader.position()) << bits;
    }
  }
}

TEST(Bytes, OverlongVarintsAreRefused) {
  const std::string overlong[] = {std::string("\x80\x00", 2), std::string("\xFF\x80\x00", 3),
                                  std::string("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02", 10),
                                  std::string("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 11),
                                  std::string("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 10)};
  for (const std::string& text : overlong) {
    ByteReader reader({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
    EXPECT_EQ(reader.Varint(), 0u);
    EXPECT_EQ(reader.failure(), ByteReader::Failure::kOverlong);
    EXPECT_EQ(reader.position(), 0u);
  }
}

TEST(Bytes, TheFirstFailureSticks) {
  const uint8_t bytes[] = {1, 2, 3};
  ByteReader reader(bytes);
  EXPECT_EQ(reader.U32(), 0u);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.U8(), 0u);
  EXPECT_TRUE(reader.Bytes(1).empty());
  EXPECT_EQ(reader.position(), 0u);
  ByteReader huge(bytes);
  EXPECT_TRUE(huge.Bytes(std::numeric_limits<uint64_t>::max()).empty());
  EXPECT_EQ(huge.failure(), ByteReader::Failure::kCutOff);
}

}  // namespace
}  // namespace vqc
