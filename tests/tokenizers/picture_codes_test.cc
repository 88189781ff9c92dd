// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/image/picture_codes.h"

#include <gtest/gtest.h>

#include <cmath>

namespace vqc {
namespace {

TEST(SignCodes, BitJIsWhetherLatentJIsAboveZero) {
  const auto codes = MakeSignCodes(18);
  EXPECT_EQ(codes->Vocab(), std::vector<uint32_t>{1u << 18});
  std::vector<float> latents(3 * 18, -1.0f);
  latents[0] = 0.5f;           // the first latent is the lowest bit
  latents[18 + 17] = 1e-30f;   // the last one the highest
  latents[2 * 18 + 5] = 0.0f;  // 0 is not above 0
  latents[2 * 18 + 6] = -0.0f;
  const auto ids = codes->Encode(latents);
  ASSERT_TRUE(ids.ok()) << ids.error().message;
  EXPECT_EQ(*ids, (std::vector<uint32_t>{1, 1u << 17, 0}));
  const auto rows = codes->Decode(*ids, 1);
  ASSERT_EQ(rows.size(), latents.size());
  for (size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(rows[i], i == 0 || i == 18 + 17 ? 1.0f : -1.0f) << i;
}

TEST(SignCodes, EveryIdComesBack) {
  const auto codes = MakeSignCodes(10);
  std::vector<uint32_t> ids(1024);
  for (uint32_t i = 0; i < ids.size(); ++i) ids[i] = i;
  EXPECT_EQ(*codes->Encode(codes->Decode(ids, 1)), ids);
}

TEST(SignCodes, LatentsThatAreNotFiniteAreRefused) {
  const auto codes = MakeSignCodes(2);
  for (const float value : {NAN, INFINITY}) {
    const float latents[] = {1.0f, value};
    const auto ids = codes->Encode(latents);
    ASSERT_FALSE(ids.ok());
    EXPECT_EQ(ids.error().code, ErrorCode::kModel);
  }
}

}  // namespace
}  // namespace vqc
