// SPDX-License-Identifier: Apache-2.0
// Whole files with payloads of every kind: every flipped bit and every cut is an error, and salvage returns
// exactly the windows that nothing happened to.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "base/bytes.h"
#include "codec/codec.h"
#include "tests/support/fake_model.h"
#include "tests/support/random_clip.h"

namespace vqc {
namespace {

constexpr uint32_t kWindowBytes = 24;

Bundle FakeBundle() {
  const auto model = MakeFakeModel("fake");
  EXPECT_TRUE(model.ok()) << model.error().message;
  const auto tensors = SafeTensors::Parse(model->weights, "fake");
  EXPECT_TRUE(tensors.ok());
  return {model->card, *LoadFakeTokenizer(*tensors), *MakePrior(model->card.prior, model->card.factors, {})};
}

TEST(PayloadDamage, EveryFlippedBitAndEveryCutIsRefused) {
  const Bundle bundle = FakeBundle();
  const PayloadOptions kinds[] = {
      {"uniform", 0}, {"adaptive", 0}, {"table", 0}, {"blockwise", 0}, {"adaptive", kWindowBytes}};
  for (const PayloadOptions& kind : kinds) {
    const auto encoded = EncodeImage(RandomImage(3, 100, 70), bundle, {}, kind);
    ASSERT_TRUE(encoded.ok()) << encoded.error().message;
    ASSERT_TRUE(DecodeStream(*ReadStream(encoded->bytes, {}), bundle, {}).ok());
    const std::vector<uint8_t>& whole = encoded->bytes;
    for (size_t bit = 0; bit < 8 * whole.size(); ++bit) {
      auto bytes = whole;
      bytes[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
      ASSERT_FALSE(ReadStream(bytes, {}).ok()) << kind.prior << ", bit " << bit;
    }
    for (size_t kept = 0; kept < whole.size(); ++kept) {
      ASSERT_FALSE(ReadStream(std::span<const uint8_t>(whole).first(kept), {}).ok())
          << kind.prior << ", cut to " << kept;
    }
  }
}

// What salvage knows of a damaged file; nothing where not even that can be told.
std::vector<uint8_t> KnownOf(std::span<const uint8_t> bytes, const Bundle& bundle, const Tokens& original) {
  SalvageReport report;
  const auto stream = SalvageStream(bytes, {}, report);
  if (!stream.ok() || stream->chunks.empty()) return {};
  EXPECT_FALSE(report.intact);
  const auto payload = PayloadOf(*stream, stream->chunks.front(), bundle);
  if (!payload.ok() || payload->shape != original.shape) return {};
  const auto salvaged = SalvagePayload(*payload, bundle, {});
  if (!salvaged.ok()) return {};
  for (size_t i = 0; i < original.ids.size(); ++i) {
    EXPECT_TRUE(!salvaged->known[i] || salvaged->tokens.ids[i] == original.ids[i]) << "token " << i;
  }
  return salvaged->known;
}

TEST(PayloadDamage, SalvageReturnsExactlyTheUndamagedWindows) {
  const Bundle bundle = FakeBundle();
  const auto encoded = EncodeImage(RandomImage(3, 100, 70), bundle, {}, {"adaptive", kWindowBytes});
  ASSERT_TRUE(encoded.ok());
  const std::vector<uint8_t>& whole = encoded->bytes;
  const auto layout = *LayoutOf(whole, {});
  const size_t windows_at = layout.header_bytes + layout.chunk_head_bytes + VarintSize(kWindowBytes);
  const size_t end = layout.header_bytes + layout.chunk_head_bytes + layout.payload_bytes;
  const size_t windows = (end - windows_at + kWindowBytes - 1) / kWindowBytes;
  ASSERT_GE(windows, 4u);
  for (size_t window = 0; window < windows; ++window) {
    const size_t at = windows_at + window * kWindowBytes;
    ByteReader in{std::span<const uint8_t>(whole).subspan(at + 4)};
    const size_t first = in.Varint(), count = in.Varint();
    std::vector<uint8_t> expected(encoded->tokens.ids.size(), 1);
    std::fill_n(expected.begin() + static_cast<ptrdiff_t>(first), count, uint8_t{0});
    for (size_t bit = 0; bit < 8 * std::min<size_t>(kWindowBytes, end - at); ++bit) {
      auto bytes = whole;
      bytes[at + bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
      ASSERT_EQ(KnownOf(bytes, bundle, encoded->tokens), expected) << "window " << window << ", bit " << bit;
    }
  }
  // Damage of anything else never makes a token wrong.
  for (size_t bit = 0; bit < 8 * windows_at; ++bit) {
    auto bytes = whole;
    bytes[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    KnownOf(bytes, bundle, encoded->tokens);
  }
  for (size_t kept = windows_at; kept < whole.size(); ++kept) {
    const auto known = KnownOf(std::span<const uint8_t>(whole).first(kept), bundle, encoded->tokens);
    const size_t sound = kept >= end ? windows : (kept - windows_at) / kWindowBytes;
    size_t tokens = 0;
    for (size_t window = 0; window < sound; ++window) {
      ByteReader in{std::span<const uint8_t>(whole).subspan(windows_at + window * kWindowBytes + 4)};
      in.Varint();
      tokens += in.Varint();
    }
    ASSERT_EQ(std::count(known.begin(), known.end(), uint8_t{1}), static_cast<ptrdiff_t>(tokens)) << kept;
  }
}

}  // namespace
}  // namespace vqc
