// SPDX-License-Identifier: Apache-2.0
#include "data/tokens/medium.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/support/fake_tokenizer.h"
#include "tests/support/random_clip.h"

namespace vqc {
namespace {

std::vector<Medium> Three(const Clip& middle) {
  std::vector<Medium> media(3);
  for (int i = 0; i < 3; ++i) {
    media[i].key = std::to_string(i);
    media[i].clip = i == 1 ? middle : RandomImage(3, 16 + 8 * i, 24);
  }
  return media;
}

TEST(TokenizeMedia, ABatchGivesWhatItsItemsGive) {
  const FakeTokenizer tokenizer;
  const Clip middle = RandomImage(3, 40, 8);
  auto media = Three(middle);
  std::vector<Clip> clips;
  for (const Medium& medium : media) clips.push_back(medium.clip);
  const auto items = TokenizeMedia(std::move(media), tokenizer);
  ASSERT_EQ(items.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(items[i].ok()) << items[i].error().message;
    EXPECT_EQ(items[i]->key, std::to_string(i));
    EXPECT_EQ(items[i]->ids, tokenizer.Encode({&clips[i], 1})->front().ids);
  }
}

TEST(TokenizeMedia, ABadItemIsBadAlone) {
  Clip middle = RandomImage(3, 40, 8);
  middle.data[5] = std::numeric_limits<float>::quiet_NaN();
  const auto items = TokenizeMedia(Three(middle), FakeTokenizer());
  ASSERT_EQ(items.size(), 3u);
  EXPECT_TRUE(items[0].ok());
  EXPECT_TRUE(items[2].ok());
  ASSERT_FALSE(items[1].ok());
  EXPECT_EQ(items[1].error().code, ErrorCode::kInput);
}

}  // namespace
}  // namespace vqc
