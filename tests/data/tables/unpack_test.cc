// SPDX-License-Identifier: Apache-2.0
// 40 letters, as pyarrow 26.0.1 compresses them.
#include "data/tables/unpack.h"

#include <gtest/gtest.h>

#include <span>

namespace vqc {
namespace {

using Bytes = std::vector<uint8_t>;

const Bytes kLetters(40, 'a');
const Bytes kGzip = {31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 75, 76, 36, 14, 0, 0, 37, 138, 91, 201, 40, 0, 0, 0};
const Bytes kZstd = {40, 181, 47, 253, 32, 40, 69, 0, 0, 16, 97, 97, 1, 0, 31, 128, 5};
const Bytes kSnappy = {40, 0, 97, 154, 1, 0};

TEST(Unpack, EveryCompressionInItsSizeAlone) {
  for (const auto& [compression, packed] :
       {std::pair(Compression::kNone, kLetters), std::pair(Compression::kGzip, kGzip),
        std::pair(Compression::kZstd, kZstd), std::pair(Compression::kSnappy, kSnappy)}) {
    const auto number = static_cast<int64_t>(compression);
    EXPECT_TRUE(IsReadCompression(number));
    const auto bytes = Unpack(packed, 40, compression);
    ASSERT_TRUE(bytes.ok()) << number;
    EXPECT_EQ(*bytes, kLetters) << number;
    for (const size_t size : {size_t{0}, size_t{39}, size_t{41}, size_t{1} << 31})
      EXPECT_FALSE(Unpack(packed, size, compression).ok()) << number << " " << size;
    for (size_t cut = 0; cut < packed.size(); ++cut)
      EXPECT_FALSE(Unpack(std::span<const uint8_t>(packed).first(cut), 40, compression).ok())
          << number << " " << cut;
  }
}

TEST(Unpack, StreamsOfGzipFollowOneAnother) {
  Bytes twice = kGzip;
  twice.insert(twice.end(), kGzip.begin(), kGzip.end());
  const auto bytes = Unpack(twice, 80, Compression::kGzip);
  ASSERT_TRUE(bytes.ok());
  EXPECT_EQ(*bytes, Bytes(80, 'a'));
  EXPECT_FALSE(Unpack(twice, 40, Compression::kGzip).ok());
}

}  // namespace
}  // namespace vqc
