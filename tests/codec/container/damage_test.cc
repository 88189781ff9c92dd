// SPDX-License-Identifier: Apache-2.0
// Every damage of a small kind, on every sample: strict reading refuses them all.
#include <gtest/gtest.h>

#include <random>

#include "codec/container/stream.h"
#include "tests/codec/container/samples.h"

namespace vqc {
namespace {

using testing::Samples;

void ExpectRefused(const std::vector<uint8_t>& bytes, const std::string& what) {
  const auto stream = ReadStream(bytes, Limits{});
  ASSERT_FALSE(stream.ok()) << what;
  const ErrorCode code = stream.error().code;
  ASSERT_TRUE(code == ErrorCode::kCorruptData || code == ErrorCode::kInput)
      << what << ": " << stream.error().message;
  ASSERT_EQ(stream.error().message.find('\n'), std::string::npos);
  // The other readers agree, and salvage never calls it intact.
  ASSERT_FALSE(LayoutOf(bytes, Limits{}).ok()) << what;
  SalvageReport report;
  const auto salvaged = SalvageStream(bytes, Limits{}, report);
  ASSERT_TRUE(!salvaged.ok() || !report.intact) << what;
  ASSERT_EQ(report.intact, report.defects.empty());
}

TEST(Damage, EveryFlippedBitIsRefused) {
  for (const auto& [name, stream] : Samples()) {
    const auto whole = *WriteStream(stream);
    for (size_t bit = 0; bit < 8 * whole.size(); ++bit) {
      auto bytes = whole;
      bytes[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
      ExpectRefused(bytes, name + ", bit " + std::to_string(bit));
    }
  }
}

TEST(Damage, EveryOtherByteIsRefused) {
  for (const auto& [name, stream] : Samples()) {
    const auto whole = *WriteStream(stream);
    for (size_t at = 0; at < std::min<size_t>(whole.size(), 48); ++at) {
      for (int change = 1; change < 256; ++change) {
        auto bytes = whole;
        bytes[at] ^= static_cast<uint8_t>(change);
        ExpectRefused(bytes, name + ", byte " + std::to_string(at));
      }
    }
  }
}

TEST(Damage, EveryTruncationIsRefused) {
  for (const auto& [name, stream] : Samples()) {
    const auto whole = *WriteStream(stream);
    for (size_t size = 0; size < whole.size(); ++size) {
      ExpectRefused({whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size)},
                    name + ", " + std::to_string(size));
    }
  }
}

TEST(Damage, EveryAppendedByteIsRefused) {
  for (const auto& [name, stream] : Samples()) {
    const auto whole = *WriteStream(stream);
    for (int value = 0; value < 256; ++value) {
      auto bytes = whole;
      bytes.push_back(static_cast<uint8_t>(value));
      ExpectRefused(bytes, name + " and " + std::to_string(value));
    }
    for (size_t more = 2; more <= 64; ++more) {
      auto bytes = whole;
      bytes.resize(bytes.size() + more);
      ExpectRefused(bytes, name + " and " + std::to_string(more) + " zeros");
    }
    auto twice = whole;
    twice.insert(twice.end(), whole.begin(), whole.end());
    ExpectRefused(twice, name + " twice");
  }
}

TEST(Damage, EveryDeletedOrInsertedByteIsRefused) {
  for (const auto& [name, stream] : Samples()) {
    const auto whole = *WriteStream(stream);
    for (size_t at = 0; at < whole.size(); ++at) {
      auto bytes = whole;
      bytes.erase(bytes.begin() + static_cast<ptrdiff_t>(at));
      ExpectRefused(bytes, name + " without byte " + std::to_string(at));
      bytes = whole;
      bytes.insert(bytes.begin() + static_cast<ptrdiff_t>(at), 0x5A);
      ExpectRefused(bytes, name + " with a byte before " + std::to_string(at));
    }
  }
}

TEST(Damage, RandomBytesGiveAnErrorAndNothingElse) {
  std::mt19937 random(7);
  for (int round = 0; round < 20000; ++round) {
    std::vector<uint8_t> bytes(random() % 200);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    const uint8_t start[] = {0x8F, 'V', 'Q', 1};
    for (size_t i = 0; i < std::min<size_t>(bytes.size(), 4); ++i) bytes[i] = start[i];
    ASSERT_FALSE(ReadStream(bytes, Limits{}).ok());
    SalvageReport report;
    const auto salvaged = SalvageStream(bytes, Limits{}, report);
    ASSERT_TRUE(!salvaged.ok() || !report.intact);
  }
}

TEST(Damage, OtherFilesAreNamedAsSuch) {
  const auto message = [](std::string_view text) {
    return ReadStream({reinterpret_cast<const uint8_t*>(text.data()), text.size()}, Limits{}).error().message;
  };
  EXPECT_EQ(message("\x89PNG\r\n\x1A\n"), "is not a .vqc stream: it does not begin with 8F 56 51");
  EXPECT_EQ(message(""), "is empty; not a .vqc stream");
  EXPECT_EQ(message("\x8FV"), "is cut off after 2 bytes");
}

}  // namespace
}  // namespace vqc
