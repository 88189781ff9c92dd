// SPDX-License-Identifier: Apache-2.0
#include "models/card.h"

#include <gtest/gtest.h>

#include "tests/base/temp_folder.h"

namespace vqc {
namespace {

ModelCard Card() {
  ModelCard card;
  card.name = "image-f16";
  card.tokenizer = "image";
  card.config = {{"stride", 16}, {"widths", {1, 2.5}}, {"act", "gelu"}};
  card.prior = "mixing";
  card.factors = {{8, 5, 5, 5}, {1024}};
  card.model_id.fill(0xA1);
  card.prior_id.fill(0x0B);
  card.about = {{"license", "CC0"}};
  return card;
}

TEST(Card, WhatIsWrittenComesBack) {
  const ModelCard card = Card();
  const auto back = ParseCard(WriteCard(card), "card.json");
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(WriteCard(*back), WriteCard(card));
  EXPECT_EQ(back->name, "image-f16");
  EXPECT_EQ(back->modality, Modality::kImage);
  EXPECT_EQ(back->tokenizer, "image");
  EXPECT_EQ(back->config, card.config);
  EXPECT_EQ(back->prior, "mixing");
  EXPECT_EQ(back->factors, card.factors);
  EXPECT_EQ(back->model_id, card.model_id);
  EXPECT_EQ(back->prior_id, card.prior_id);
  EXPECT_EQ(back->about, card.about);
  EXPECT_EQ(back->Key(), card.Key());
}

TEST(Card, EveryDamagedFieldIsNamed) {
  const auto damaged = [](const std::string& field, const nlohmann::json& value) {
    auto json = nlohmann::json::parse(WriteCard(Card()));
    json[field] = value;
    return ParseCard(json.dump(), "m/card.json");
  };
  const std::string id(64, 'a');
  const std::pair<std::string, nlohmann::json> cases[] = {
      {"name", ""},
      {"name", "../x"},
      {"name", "A"},
      {"name", std::string(65, 'a')},
      {"name", "a\nb"},
      {"name", 1},
      {"name", ".hidden"},
      {"name", nullptr},
      {"modality", "video"},
      {"modality", 1},
      {"tokenizer", "a b"},
      {"tokenizer", nlohmann::json::array()},
      {"config", "x"},
      {"config", nullptr},
      {"prior", ""},
      {"factors", 1},
      {"factors", nlohmann::json::array()},
      {"factors", {nlohmann::json::array()}},
      {"factors", {{1}}},
      {"factors", {{2, -1}}},
      {"factors", {{2.0}}},
      {"factors", {{1048577}}},
      {"factors", {"8"}},
      {"factors", std::vector<std::vector<int>>(65, {2})},
      {"model_id", id.substr(1)},
      {"model_id", id + "a"},
      {"model_id", std::string(64, 'A')},
      {"model_id", std::string(64, 'g')},
      {"model_id", 5},
      {"prior_id", ""},
      {"about", 1},
  };
  for (const auto& [field, value] : cases) {
    const auto card = damaged(field, value);
    ASSERT_FALSE(card.ok()) << field << value;
    EXPECT_EQ(card.error().code, ErrorCode::kModel);
    EXPECT_EQ(card.error().message.find("m/card.json: field " + field + " is "), 0u) << card.error().message;
    EXPECT_NE(card.error().message.find("expected is"), std::string::npos) << card.error().message;
    EXPECT_EQ(card.error().message.find('\n'), std::string::npos) << card.error().message;
  }
}

TEST(Card, MissingUnknownAndDuplicateFieldsAreNamed) {
  const auto whole = nlohmann::json::parse(WriteCard(Card()));
  for (const auto& [field, value] : whole.items()) {
    auto json = whole;
    json.erase(field);
    const auto card = ParseCard(json.dump(), "card.json");
    ASSERT_FALSE(card.ok()) << field;
    EXPECT_NE(card.error().message.find("has no field " + field), std::string::npos) << card.error().message;
  }
  auto json = whole;
  json["colour"] = 1;
  EXPECT_NE(ParseCard(json.dump(), "card.json").error().message.find("colour"), std::string::npos);
  std::string twice = whole.dump();
  twice.insert(1, "\"name\":\"other\",");
  EXPECT_NE(ParseCard(twice, "card.json").error().message.find("name stands there twice"), std::string::npos);
}

TEST(Card, ANewerVersionIsNamedBesideOurs) {
  auto json = nlohmann::json::parse(WriteCard(Card()));
  for (const nlohmann::json& version :
       {nlohmann::json(2), nlohmann::json(1.0), nlohmann::json("1"), nlohmann::json(-1)}) {
    json["card_version"] = version;
    json["a_field_of_the_future"] = 1;
    const auto card = ParseCard(json.dump(), "card.json");
    ASSERT_FALSE(card.ok()) << version;
    EXPECT_NE(card.error().message.find("card_version " + version.dump() + ", this program reads 1"),
              std::string::npos)
        << card.error().message;
  }
}

TEST(Card, EveryTruncationIsRefused) {
  const std::string text = WriteCard(Card());
  for (size_t size = 0; size + 1 < text.size(); ++size) {  // the newline at the end may go
    EXPECT_FALSE(ParseCard(text.substr(0, size), "card.json").ok()) << size;
  }
  EXPECT_FALSE(ParseCard(text + "x", "card.json").ok());
  EXPECT_FALSE(ParseCard(text + text, "card.json").ok());
}

TEST(Card, ReadCardNamesTheFile) {
  testing::TempFolder folder;
  const auto missing = ReadCard(folder.Path("card.json"));
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, ErrorCode::kModel);
  testing::Put(folder.Path("card.json"), std::string((1 << 20) + 1, ' '));
  EXPECT_FALSE(ReadCard(folder.Path("card.json")).ok());
  testing::Put(folder.Path("card.json"), WriteCard(Card()));
  EXPECT_TRUE(ReadCard(folder.Path("card.json")).ok());
}

SafeTensors Weights(const std::map<std::string, std::string>& tensors, DType type = DType::kU8,
                    const std::map<std::string, std::string>& metadata = {}) {
  std::map<std::string, TensorView> views;
  for (const auto& [name, data] : tensors) {
    const auto size = static_cast<int64_t>(data.size());
    views[name] = {type, {size}, {reinterpret_cast<const uint8_t*>(data.data()), data.size()}};
  }
  auto bytes = WriteSafeTensors(views, metadata);
  return std::move(*SafeTensors::Parse(std::move(*bytes), "m"));
}

TEST(Card, IdentitiesFollowWhatMattersAndNothingElse) {
  const ModelCard card = Card();
  const SafeTensors base = Weights({{"a", "xy"}, {"b", "z"}, {"prior.t", "pq"}});
  const Sha256 model = ModelIdOf(card, base), prior = PriorIdOf(card, base);
  EXPECT_NE(model, prior);

  const auto expect = [&](const ModelCard& c, const SafeTensors& t, bool same_model, bool same_prior) {
    EXPECT_EQ(ModelIdOf(c, t) == model, same_model);
    EXPECT_EQ(PriorIdOf(c, t) == prior, same_prior);
  };
  expect(card, Weights({{"a", "xy"}, {"b", "z"}, {"prior.t", "pq"}}, DType::kU8, {{"note", "n"}}), true,
         true);
  expect(card, Weights({{"a", "xY"}, {"b", "z"}, {"prior.t", "pq"}}), false, true);
  expect(card, Weights({{"a", "x"}, {"b", "yz"}, {"prior.t", "pq"}}), false, true);  // a byte moved over
  expect(card, Weights({{"a", "xy"}, {"c", "z"}, {"prior.t", "pq"}}), false, true);
  expect(card, Weights({{"a", "xy"}, {"prior.t", "pq"}}), false, true);
  expect(card, Weights({{"a", "xy"}, {"b", "z"}, {"prior.t", "pQ"}}), true, false);
  expect(card, Weights({{"a", "xy"}, {"b", "z"}}), true, false);
  expect(card, Weights({{"a", "xy"}, {"b", "z"}, {"prior.t", "pq"}}, DType::kI8), false, false);

  ModelCard other = card;
  other.about = {{"license", "none"}};
  other.name = "renamed";
  expect(other, base, true, true);
  other = card;
  other.config["stride"] = 8;
  expect(other, base, false, true);
  other = card;
  other.tokenizer = "image2";
  expect(other, base, false, true);
  other = card;
  other.prior = "static";
  expect(other, base, true, false);
  other = card;
  other.factors = {{8, 5, 5}, {5, 1024}};
  expect(other, base, true, false);
}

// The values were computed from the description in card.h by another program (Python's hashlib).
TEST(Card, IdentitiesAreFrozen) {
  ModelCard card = Card();
  const SafeTensors base = Weights({{"a", "xy"}, {"prior.t", "pq"}});
  card.model_id = ModelIdOf(card, base);
  card.prior_id = PriorIdOf(card, base);
  EXPECT_EQ(HexOf(card.model_id), "c9355fed691e05d524286678e7c0bb600255291fa762c9804493f139ff0dff82");
  EXPECT_EQ(HexOf(card.prior_id), "482670f2602ea276f93c5afcf0e33564574be54c7394fc77f5962f9340d8a854");
  EXPECT_EQ(HexOf(card.Key()), "54f2770db97f7555");
  // A card that went through a file has the same identities.
  const auto back = ParseCard(WriteCard(card), "card.json");
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(ModelIdOf(*back, base), card.model_id);
  EXPECT_EQ(PriorIdOf(*back, base), card.prior_id);
}

}  // namespace
}  // namespace vqc
