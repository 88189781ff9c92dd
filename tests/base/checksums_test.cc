// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "base/crc32c.h"
#include "base/sha256.h"

namespace vqc {
namespace {

std::span<const uint8_t> Bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

TEST(Crc32c, KnownValues) {
  // RFC 3720, section B.4, and the check value of the CRC catalogues.
  EXPECT_EQ(Crc32c(Bytes("123456789")), 0xE3069283u);
  EXPECT_EQ(Crc32c({}), 0u);
  std::vector<uint8_t> bytes(32, 0x00);
  EXPECT_EQ(Crc32c(bytes), 0x8A9136AAu);
  bytes.assign(32, 0xFF);
  EXPECT_EQ(Crc32c(bytes), 0x62A8AB43u);
  std::iota(bytes.begin(), bytes.end(), uint8_t{0});
  EXPECT_EQ(Crc32c(bytes), 0x46DD794Eu);
}

// The remainder bit by bit: what both implementations must equal.
uint32_t BitByBit(std::span<const uint8_t> bytes) {
  uint32_t crc = ~0u;
  for (const uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? 0x82F63B78 : 0);
  }
  return ~crc;
}

TEST(Crc32c, ImplementationsAgreeAtEveryLengthAndAlignment) {
  std::mt19937 random(1);
  std::vector<uint8_t> bytes(300);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  for (size_t start = 0; start < 9; ++start) {
    for (size_t length = 0; start + length <= bytes.size(); ++length) {
      const auto part = std::span(bytes).subspan(start, length);
      const uint32_t expected = BitByBit(part);
      ASSERT_EQ(Crc32cPortable(part, 0), expected);
      ASSERT_EQ(Crc32c(part), expected);
      if (Crc32cSse42 && CpuHasSse42()) {
        ASSERT_EQ(Crc32cSse42(part, 0), expected);
      }
    }
  }
}

TEST(Crc32c, PiecesGiveTheCrcOfTheWhole) {
  const std::string text = "the quick brown fox jumps over the lazy dog";
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    const auto whole = Bytes(text);
    EXPECT_EQ(Crc32c(whole.subspan(cut), Crc32c(whole.first(cut))), Crc32c(whole));
    EXPECT_EQ(Crc32cPortable(whole.subspan(cut), Crc32cPortable(whole.first(cut), 0)), Crc32c(whole));
  }
}

TEST(Sha256, KnownValues) {  // FIPS 180-4 examples
  EXPECT_EQ(HexOf(Sha256Of(Bytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(HexOf(Sha256Of({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  Sha256Hasher hasher;
  const std::vector<uint8_t> piece(1000, 'a');
  for (int i = 0; i < 1000; ++i) hasher.Add(piece);
  EXPECT_EQ(HexOf(hasher.Finish()), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, SizedPiecesAreNotTheirConcatenation) {
  Sha256Hasher a, b;
  a.AddSized("ab");
  a.AddSized("c");
  b.AddSized("a");
  b.AddSized("bc");
  EXPECT_NE(a.Finish(), b.Finish());
}

TEST(Sha256, HexIsReadInOneSpelling) {
  const Sha256 digest = Sha256Of(Bytes("abc"));
  const std::string hex = HexOf(digest);
  EXPECT_EQ(ParseSha256(hex), digest);
  EXPECT_FALSE(ParseSha256(hex.substr(1)));
  EXPECT_FALSE(ParseSha256(hex + "0"));
  std::string upper = hex;
  upper[0] = 'B';
  EXPECT_FALSE(ParseSha256(upper));
  upper[0] = 'g';
  EXPECT_FALSE(ParseSha256(upper));
}

}  // namespace
}  // namespace vqc
