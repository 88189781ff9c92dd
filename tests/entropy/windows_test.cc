// SPDX-License-Identifier: Apache-2.0
#include "entropy/windows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "entropy/priors.h"
#include "entropy/token_coder.h"
#include "tests/entropy/token_maps.h"

namespace vqc {
namespace {

const std::vector<uint32_t> kFsq = {8, 8, 5, 5};
constexpr uint32_t kSalt = 9, kBytes = 64;

std::shared_ptr<const PriorModel> Model(std::string_view name) {
  std::vector<uint8_t> tables;
  if (name == "mixing" || name == "static") {
    const auto trainer = MakePriorTrainer(name, {kFsq});
    for (uint32_t seed = 0; seed < 8; ++seed) {
      EXPECT_TRUE((*trainer)->Add(SmoothMap({1, 1, 16, 16}, kFsq, seed)).ok());
    }
    tables = *(*trainer)->Finish();
  }
  return *MakePrior(name, {kFsq}, tables);
}

const Tokens& Map() {
  static const Tokens map = SmoothMap({1, 1, 20, 30}, kFsq, 100);
  return map;
}

Result<Tokens> Decoded(std::span<const uint8_t> bytes, const PriorModel& model) {
  return DecodeWindows(Map().shape, Map().vocab, model, bytes, kSalt, Limits{});
}

TEST(Windows, ComeBackWithEveryPriorAndSize) {
  for (const char* name : {"uniform", "adaptive", "static", "mixing"}) {
    const auto model = Model(name);
    for (const uint32_t size : {16u, 17u, 64u, 128u, 4096u}) {
      const auto bytes = EncodeWindows(Map(), *model, size, kSalt);
      ASSERT_TRUE(bytes.ok()) << bytes.error().message;
      EXPECT_NE(bytes->back(), 0u);
      const auto back = Decoded(*bytes, *model);
      ASSERT_TRUE(back.ok()) << name << " " << size << ": " << back.error().message;
      EXPECT_EQ(*back, Map());
    }
  }
}

TEST(Windows, ComeBackWithLevelsOfWhichSomeCostNothing) {
  const std::vector<uint32_t> vocab = {300, 1, 2, 1};
  const auto model = *MakePrior("adaptive", {}, {});
  for (const TokenShape& shape : {TokenShape{4, 40, 1, 1}, TokenShape{4, 3, 5, 7}}) {
    const Tokens tokens = RandomMap(shape, vocab, 1);
    const auto bytes = EncodeWindows(tokens, *model, 32, kSalt);
    ASSERT_TRUE(bytes.ok());
    const auto back = DecodeWindows(shape, vocab, *model, *bytes, kSalt, Limits{});
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(*back, tokens);
  }
  const Tokens nothing = RandomMap({1, 1, 3, 3}, {1}, 1);
  const auto bytes = EncodeWindows(nothing, *model, 32, kSalt);
  EXPECT_EQ(*DecodeWindows(nothing.shape, nothing.vocab, *model, *bytes, kSalt, Limits{}), nothing);
}

// What a window costs beyond one stream: its head, the bits left over, and that its prior begins anew.
TEST(Windows, OfAUniformPriorAreNearlyFull) {
  const auto model = Model("uniform");
  const size_t whole = EncodeTokens(Map(), *model)->size();
  for (const uint32_t size : {64u, 256u}) {
    const size_t windows = EncodeWindows(Map(), *model, size, kSalt)->size() / size + 1;
    EXPECT_LE(windows, whole / (size - 10) + 1) << size;
  }
}

TEST(Windows, EveryFlippedBitIsRefused) {
  const auto model = Model("adaptive");
  const auto bytes = *EncodeWindows(Map(), *model, kBytes, kSalt);
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    auto damaged = bytes;
    damaged[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    ASSERT_FALSE(Decoded(damaged, *model).ok()) << bit;
  }
  for (size_t kept = 0; kept < bytes.size(); ++kept) {
    ASSERT_FALSE(Decoded(std::span<const uint8_t>(bytes).first(kept), *model).ok()) << kept;
  }
}

// Salvage gives exactly the tokens of the windows that were left alone, whatever was done to the others.
TEST(Windows, SalvageReturnsExactlyTheUndamagedOnes) {
  const auto model = Model("mixing");
  const auto bytes = *EncodeWindows(Map(), *model, kBytes, kSalt);
  const size_t windows = (bytes.size() - 1 + kBytes - 1) / kBytes;
  ASSERT_GT(windows, 5u);
  std::vector<std::pair<size_t, size_t>> tokens_of;  // first, count
  for (size_t i = 0; i < windows; ++i) {
    ByteReader in(std::span<const uint8_t>(bytes).subspan(1 + i * kBytes + 4));
    const size_t first = in.Varint();
    tokens_of.emplace_back(first, in.Varint());
  }
  std::mt19937 random(1);
  for (int round = 0; round < 40; ++round) {
    auto damaged = bytes;
    std::vector<uint8_t> known(Map().ids.size(), 1);
    size_t hit = 0;
    for (size_t i = 0; i < windows; ++i) {
      if (random() % 3 != 0) continue;
      ++hit;
      const size_t bit = random() % (8 * std::min<size_t>(kBytes, bytes.size() - 1 - i * kBytes));
      damaged[1 + i * kBytes + bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
      std::fill_n(known.begin() + static_cast<ptrdiff_t>(tokens_of[i].first), tokens_of[i].second,
                  uint8_t{0});
    }
    const auto salvaged = SalvageWindows(Map().shape, Map().vocab, *model, damaged, kSalt, Limits{});
    ASSERT_TRUE(salvaged.ok());
    EXPECT_EQ(salvaged->windows, windows);
    EXPECT_EQ(salvaged->damaged, hit);
    ASSERT_EQ(salvaged->known, known);
    for (size_t i = 0; i < known.size(); ++i) {
      ASSERT_EQ(salvaged->tokens.ids[i], known[i] ? Map().ids[i] : 0u);
    }
  }
}

TEST(Windows, SalvageOfACutOffPayloadKeepsTheWholeWindows) {
  const auto model = Model("adaptive");
  const auto bytes = *EncodeWindows(Map(), *model, kBytes, kSalt);
  const auto salvaged =
      SalvageWindows(Map().shape, Map().vocab, *model,
                     std::span<const uint8_t>(bytes).first(1 + 3 * kBytes + 5), kSalt, Limits{});
  ASSERT_TRUE(salvaged.ok());
  EXPECT_EQ(salvaged->windows, 4u);
  EXPECT_EQ(salvaged->damaged, 1u);
}

TEST(Windows, OfOtherTokensOrAnotherSaltAreRefused) {
  const auto model = Model("adaptive");
  const auto bytes = *EncodeWindows(Map(), *model, kBytes, kSalt);
  EXPECT_FALSE(DecodeWindows({1, 1, 30, 20}, Map().vocab, *model, bytes, kSalt, Limits{}).ok());
  EXPECT_FALSE(DecodeWindows(Map().shape, std::vector<uint32_t>{1599}, *model, bytes, kSalt, Limits{}).ok());
  EXPECT_FALSE(DecodeWindows(Map().shape, Map().vocab, *model, bytes, kSalt + 1, Limits{}).ok());
}

// Windows that say they hold everything, with checks that are right.
TEST(Windows, ForgedOnesNeitherCrashNorHang) {
  const TokenShape shape{1, 1, 1000, 1000};
  const std::vector<uint32_t> vocab = {1600};
  const auto model = Model("uniform");
  ByteWriter facts, out;
  for (const uint32_t fact : {kSalt, kBytes, shape.levels, shape.t, shape.h, shape.w, vocab[0]})
    facts.U32(fact);
  const uint32_t seed = Crc32c(facts.bytes());
  out.Varint(kBytes);
  for (int i = 0; i < 500; ++i) {
    ByteWriter window;
    window.Varint(0);
    window.Varint(1000000);
    while (window.size() < kBytes - 4) window.U8(static_cast<uint8_t>(i));
    out.U32(Crc32c(window.bytes(), seed));
    out.Append(window.bytes());
  }
  EXPECT_FALSE(DecodeWindows(shape, vocab, *model, out.bytes(), kSalt, Limits{}).ok());
  const auto salvaged = SalvageWindows(shape, vocab, *model, out.bytes(), kSalt, Limits{});
  ASSERT_TRUE(salvaged.ok());
  EXPECT_GE(salvaged->damaged, 490u);  // one of zeros decodes to zeros
}

TEST(Windows, ThatMakeNoSenseAreRefused) {
  const auto model = Model("adaptive");
  for (const uint32_t size : {0u, 15u, 65537u}) {
    const auto bytes = EncodeWindows(Map(), *model, size, kSalt);
    ASSERT_FALSE(bytes.ok());
    EXPECT_EQ(bytes.error().code, ErrorCode::kUsage);
  }
  for (const char* name : {"table", "blockwise"}) {
    const auto bytes = EncodeWindows(Map(), *Model(name), kBytes, kSalt);
    ASSERT_FALSE(bytes.ok());
    EXPECT_EQ(bytes.error().code, ErrorCode::kUsage);
  }
}

}  // namespace
}  // namespace vqc
