// SPDX-License-Identifier: Apache-2.0
#include "data/tables/snappy.h"

#include <gtest/gtest.h>

#include <optional>

namespace vqc {
namespace {

using Bytes = std::vector<uint8_t>;

TEST(Snappy, LiteralsAndCopiesOfEveryKind) {
  EXPECT_EQ(UnpackSnappy(Bytes{3, 2 << 2, 'a', 'b', 'c'}, 3), (Bytes{'a', 'b', 'c'}));
  // A copy that reads what it writes, with an offset of 11 bits, of 16 and of 32.
  const Bytes repeated = {'a', 'b', 'a', 'b', 'a', 'b', 'a'};
  EXPECT_EQ(UnpackSnappy(Bytes{7, 1 << 2, 'a', 'b', 1 << 2 | 1, 2}, 7), repeated);
  EXPECT_EQ(UnpackSnappy(Bytes{7, 1 << 2, 'a', 'b', 4 << 2 | 2, 2, 0}, 7), repeated);
  EXPECT_EQ(UnpackSnappy(Bytes{7, 1 << 2, 'a', 'b', 4 << 2 | 3, 2, 0, 0, 0}, 7), repeated);
  Bytes packed = {0xAC, 2, 61 << 2, 0x2B, 1}, expected;  // 300 bytes, a literal of 299 + 1
  for (int i = 0; i < 300; ++i) expected.push_back(static_cast<uint8_t>(i));
  packed.insert(packed.end(), expected.begin(), expected.end());
  EXPECT_EQ(UnpackSnappy(packed, 300), expected);
}

TEST(Snappy, RefusesWhatDoesNotFit) {
  EXPECT_EQ(UnpackSnappy(Bytes{}, 0), std::nullopt);
  EXPECT_EQ(UnpackSnappy(Bytes{3, 2 << 2, 'a', 'b', 'c'}, 4), std::nullopt);   // another size
  EXPECT_EQ(UnpackSnappy(Bytes{2, 2 << 2, 'a', 'b', 'c'}, 2), std::nullopt);   // too long a literal
  EXPECT_EQ(UnpackSnappy(Bytes{3, 2 << 2, 'a', 'b'}, 3), std::nullopt);        // cut off
  EXPECT_EQ(UnpackSnappy(Bytes{6, 1 << 2, 'a', 'b', 1, 3}, 6), std::nullopt);  // from before the beginning
  EXPECT_EQ(UnpackSnappy(Bytes{6, 1 << 2, 'a', 'b', 1, 0}, 6), std::nullopt);  // from where it writes
  EXPECT_EQ(UnpackSnappy(Bytes{0x80, 0x80, 0x80, 0x80, 4, 0, 'a'}, 1u << 30), std::nullopt);  // a bomb
}

}  // namespace
}  // namespace vqc
