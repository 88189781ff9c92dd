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

TEST(FsqCodes, DigitsAreTheRoundedSquashedLatents) {
  const std::vector<uint32_t> levels = {8, 5, 2};
  const auto codes = MakeFsqCodes(levels);
  EXPECT_EQ(codes->Vocab(), std::vector<uint32_t>{80});
  for (int step = -400; step <= 400; ++step) {
    const double z = step / 100.0 + 0.0037;  // far enough from where digits change
    const std::vector<float> latents(3, static_cast<float>(z));
    const auto ids = codes->Encode(latents);
    ASSERT_TRUE(ids.ok());
    uint32_t rest = ids->front();
    for (const uint32_t count : levels) {
      const double half = (count - 1) * 1.001 / 2, offset = count % 2 == 0 ? 0.5 : 0;
      const double squashed = std::tanh(z + std::atanh(offset / half)) * half - offset;
      EXPECT_EQ(rest % count, std::nearbyint(squashed) + count / 2) << count << " levels at " << z;
      rest /= count;
    }
  }
}

TEST(FsqCodes, EveryIdComesBackThroughItsValues) {
  const std::vector<uint32_t> levels = {8, 5, 3};
  const auto codes = MakeFsqCodes(levels);
  std::vector<uint32_t> ids(120);
  for (uint32_t i = 0; i < ids.size(); ++i) ids[i] = i;
  const auto rows = codes->Decode(ids, 1);
  for (size_t i = 0; i < ids.size(); ++i) {
    uint32_t id = 0, unit = 1;
    for (size_t d = 0; d < levels.size(); ++d) {
      const float half = static_cast<float>(levels[d] / 2);
      EXPECT_GE(rows[i * 3 + d], -1.0f);
      EXPECT_LE(rows[i * 3 + d], 1.0f);
      id += unit * static_cast<uint32_t>(std::lround(rows[i * 3 + d] * half + half));
      unit *= levels[d];
    }
    EXPECT_EQ(id, ids[i]);
  }
}

TEST(ComputedCodes, LatentsThatAreNotFiniteAreRefused) {
  const std::unique_ptr<const LatentCodes> both[] = {MakeSignCodes(2), MakeFsqCodes({4, 4})};
  for (const auto& codes : both) {
    for (const float value : {NAN, INFINITY}) {
      const float latents[] = {1.0f, value};
      const auto ids = codes->Encode(latents);
      ASSERT_FALSE(ids.ok());
      EXPECT_EQ(ids.error().code, ErrorCode::kModel);
    }
  }
}

}  // namespace
}  // namespace vqc
