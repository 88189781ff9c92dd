// SPDX-License-Identifier: Apache-2.0
#include "data/tokens/item.h"

#include <gtest/gtest.h>

#include "base/base64.h"

namespace vqc {
namespace {

std::vector<uint8_t> Bytes(std::string_view text) { return {text.begin(), text.end()}; }

TEST(Base64, IsThatOfRfc4648) {
  const std::pair<std::string_view, std::string_view> vectors[] = {
      {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [text, coded] : vectors) {
    EXPECT_EQ(ToBase64(Bytes(text)), coded);
    EXPECT_EQ(FromBase64(coded), Bytes(text));
  }
  for (const char* bad : {"Zg", "Zg=", "Zh==", "Zm9=", "=AAA", "A===", "Zg==Zg==", "Zm 8", "Zm8\n"}) {
    EXPECT_FALSE(FromBase64(bad)) << bad;
  }
}

TEST(CleanKey, IsSafeBelowAnyFolder) {
  EXPECT_EQ(CleanKey("a/b/c"), "a/b/c");
  EXPECT_EQ(CleanKey("/etc/passwd"), "etc/passwd");
  EXPECT_EQ(CleanKey("../../x"), "__/__/x");
  EXPECT_EQ(CleanKey("a//./b"), "a/b");
  EXPECT_EQ(CleanKey("v1.0/photo.small"), "v1.0/photo_small");
  EXPECT_EQ(CleanKey(std::string("a\n\x1b\0b", 5)), "a___b");
  EXPECT_EQ(CleanKey("\xff\xfe"), "__");
  EXPECT_EQ(CleanKey("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f");
  EXPECT_EQ(CleanKey(""), "_");
  EXPECT_EQ(CleanKey("/./"), "_");
  for (size_t length = 190; length < 420; ++length) {
    std::string name;
    while (name.size() < length) name += name.size() % 7 == 3 ? "/" : name.size() % 5 == 0 ? "." : "\xc3\xbc";
    const std::string key = CleanKey(name);
    EXPECT_LE(key.size(), 200u);
    EXPECT_TRUE(IsUtf8(key)) << length;
    EXPECT_FALSE(key.ends_with('/'));
    EXPECT_EQ(key.find('.', key.rfind('/') + 1), std::string::npos);
    EXPECT_EQ(CleanKey(key), key);
  }
}

TEST(Record, KeepsSidecarsByteForByte) {
  TokenItem item;
  item.key = "k";
  item.shape = {1, 2};
  item.facts = {{"width", 16}};
  for (const std::string_view content :
       {std::string_view("text\n\x01"), std::string_view("\xff\x00", 2), std::string_view("")}) {
    item.sidecars = {{"a.b", Bytes(content)}};
    const auto record = ParseRecord(RecordLine(RecordOf(item)), {});
    ASSERT_TRUE(record.ok()) << record.error().message;
    const auto back = ItemOf(*record);
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(back->key, "k");
    EXPECT_EQ(back->shape, item.shape);
    EXPECT_EQ(back->facts["width"], 16);
    ASSERT_EQ(back->sidecars.size(), 1u);
    EXPECT_EQ(back->sidecars[0].extension, "a.b");
    EXPECT_EQ(back->sidecars[0].bytes, Bytes(content));
  }
}

TEST(Record, RefusesWhatIsNone) {
  for (const char* bad :
       {R"({"shape": [1]})", R"({"key": 3})", R"({"key": "k", "shape": []})", R"({"key": "k", "shape": [0]})",
        R"({"key": "k", "shape": [-1]})", R"({"key": "k", "shape": [4294967296, 4294967296]})",
        R"({"key": "k", "shape": [1,1,1,1,1]})", R"({"key": "k", "sidecars": []})",
        R"({"key": "k", "sidecars": {"a": 1}})", R"({"key": "k", "sidecars": {"a": {"base64": "Zh=="}}})"}) {
    const auto record = ParseRecord(bad, {});
    ASSERT_TRUE(record.ok()) << bad;
    EXPECT_FALSE(ItemOf(*record).ok()) << bad;
  }
}

TEST(Tokens, OfPicturesAndSound) {
  const TokenLayout sound{Modality::kAudio, {4, 8}};
  TokenItem item{"k", {}, {2, 3, 2}, {0, 7, 1, 6, 2, 5, 3, 4, 0, 3, 1, 2}, {}};
  const auto channels = TokensOf(item, sound);
  ASSERT_TRUE(channels.ok()) << channels.error().message;
  ASSERT_EQ(channels->size(), 2u);
  EXPECT_EQ((*channels)[1].ids, (std::vector<uint32_t>{3, 4, 0, 3, 1, 2}));
  EXPECT_EQ((*channels)[1].shape, (TokenShape{2, 3, 1, 1}));
  EXPECT_EQ(ArrayShape(sound, (*channels)[0].shape, 2), item.shape);
  EXPECT_EQ(sound.LevelOffsets(), (std::vector<uint64_t>{0, 4}));
  EXPECT_EQ(sound.Vocabulary(), 12u);
  item.ids[0] = 4;
  EXPECT_FALSE(TokensOf(item, sound).ok());
  item.ids[0] = 0;
  item.ids.pop_back();
  EXPECT_FALSE(TokensOf(item, sound).ok());

  const TokenLayout actions{Modality::kAction, {4, 8}};
  const auto chunks = TokensOf({"k", {}, {2, 1, 3, 2}, {0, 7, 1, 6, 2, 5, 3, 4, 0, 3, 1, 2}, {}}, actions);
  ASSERT_TRUE(chunks.ok()) << chunks.error().message;
  ASSERT_EQ(chunks->size(), 1u);
  EXPECT_EQ(chunks->front().shape, (TokenShape{2, 2, 1, 3}));
  EXPECT_EQ(ArrayShape(actions, chunks->front().shape, 1), (std::vector<uint64_t>{2, 1, 3, 2}));
  EXPECT_FALSE(TokensOf({"k", {}, {1, 1, 4, 3}, std::vector<uint32_t>(12), {}}, actions).ok());

  const TokenLayout picture{Modality::kImage, {70000}};
  EXPECT_EQ(picture.IdBytes(), 4u);
  const auto map = TokensOf({"k", {}, {1, 2}, {69999, 0}, {}}, picture);
  ASSERT_TRUE(map.ok()) << map.error().message;
  EXPECT_EQ(map->front().shape, (TokenShape{1, 1, 1, 2}));
  EXPECT_FALSE(TokensOf({"k", {}, {2}, {1, 2}, {}}, picture).ok());
}

}  // namespace
}  // namespace vqc
