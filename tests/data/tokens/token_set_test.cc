// SPDX-License-Identifier: Apache-2.0
// plan.json and manifest.json: what is written comes back, and whatever is not as it should be is an error
// that names the file and the field.
#include "data/tokens/token_set.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/file.h"
#include "tests/base/temp_folder.h"

namespace vqc {
namespace {

TokenSet ASet(Modality modality = Modality::kImage) {
  TokenSet set;
  set.format = "webdataset";
  set.model = "image-f16";
  set.model_id.fill(7);
  set.profile = 0xBEEF;
  set.layout = {modality, {512, 16}};
  set.items = 5;
  set.shard_items = 2;
  set.sources.fill(9);
  set.options = {{"crop", {1, 2}}};
  return set;
}

ShardRecord RecordOf(uint64_t shard, std::vector<BadItem> skipped = {}) {
  return {shard, 2 - skipped.size(), 60, {{"00000" + std::to_string(shard) + ".tar", 9, Sha256{}}}, skipped};
}

std::vector<ShardRecord> Records() {
  return {RecordOf(0), RecordOf(1, {{"k", "a/b.png", "cut off"}}), RecordOf(2)};
}

// The error of reading a file in which `change` was made.
template <class Read>
Error ErrorOf(const TokenSet& set, const char* file, const Read& read,
              const std::function<void(Json&)>& change) {
  const testing::TempFolder folder;
  EXPECT_TRUE(WriteFileAtomically(folder.Path(kPlanFile), set.ToJson().dump()).ok());
  EXPECT_TRUE(WriteManifest(folder.path(), set, Records()).ok());
  const auto bytes = ReadFile(folder.Path(file), 1 << 20);
  EXPECT_TRUE(bytes.ok());
  Json json = Json::parse(*bytes);
  change(json);
  testing::Put(folder.Path(file), json.dump());
  const auto found = read(folder.path());
  if (found.ok()) return {ErrorCode::kUsage, "read"};
  EXPECT_NE(found.error().message.find(file), std::string::npos) << found.error().message;
  return found.error();
}

Error ErrorOfPlan(const std::function<void(Json&)>& change) {
  return ErrorOf(
      ASet(), kPlanFile, [](const std::string& folder) { return ReadTokenSet(folder); }, change);
}

Error ErrorOfManifest(const std::function<void(Json&)>& change) {
  return ErrorOf(
      ASet(), kManifestFile, [](const std::string& folder) { return ReadManifest(folder, ASet()); }, change);
}

TEST(TokenSet, PlansComeBack) {
  for (const Modality modality : {Modality::kImage, Modality::kAudio}) {
    const testing::TempFolder folder;
    const TokenSet set = ASet(modality);
    testing::Put(folder.Path(kPlanFile), set.ToJson().dump());
    const auto back = ReadTokenSet(folder.path());
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(*back, set);
    EXPECT_EQ(back->Shards(), 3u);
    EXPECT_EQ(back->ItemsOf(2), 1u);
  }
}

TEST(TokenSet, EveryFieldOfAPlanHasToBeThereAndSound) {
  EXPECT_EQ(ErrorOfPlan([](Json&) {}).message, "read");
  const Json wrong[] = {nullptr, -1, 1.5, "x", Json::array(), Json::object()};
  for (const char* field : {"version", "format", "model", "vocab", "items", "shard_items", "sources"}) {
    const Error missing = ErrorOfPlan([&](Json& plan) { plan.erase(field); });
    EXPECT_EQ(missing.code, ErrorCode::kCorruptData) << field << ": " << missing.message;
    for (const Json& value : wrong) {
      EXPECT_EQ(ErrorOfPlan([&](Json& plan) { plan[field] = value; }).code, ErrorCode::kCorruptData)
          << field << " " << value;
    }
  }
  for (const char* field : {"name", "id", "modality", "profile"}) {
    const Error missing = ErrorOfPlan([&](Json& plan) { plan["model"].erase(field); });
    EXPECT_EQ(missing.code, ErrorCode::kCorruptData);
    EXPECT_NE(missing.message.find(field), std::string::npos) << missing.message;
    EXPECT_EQ(ErrorOfPlan([&](Json& plan) { plan["model"][field] = Json::array(); }).code,
              ErrorCode::kCorruptData)
        << field;
  }
}

TEST(TokenSet, ValuesOfAPlanAreChecked) {
  const auto refused = [](const char* field, const Json& value, const char* mention) {
    const Error error = ErrorOfPlan([&](Json& plan) { plan[Json::json_pointer(field)] = value; });
    EXPECT_EQ(error.code, ErrorCode::kCorruptData);
    EXPECT_NE(error.message.find(mention), std::string::npos) << error.message;
  };
  refused("/version", 2, "another version");
  refused("/format", "zip", "format zip");
  refused("/model/modality", "smell", "modality smell");
  refused("/model/id", std::string(64, 'g'), "id");
  refused("/model/profile", uint64_t{1} << 32, "profile");
  refused("/items", UINT64_MAX, "items");
  refused("/shard_items", 0, "shard_items");
  refused("/vocab", Json::array(), "vocab");
  refused("/vocab", Json::array({16, 0}), "vocab");
  refused("/vocab", Json::array({uint64_t{1} << 32}), "vocab");
  refused("/vocab", Json::array({16, "x"}), "vocab");
  refused("/sources", "00", "sources");
}

TEST(TokenSet, WhatIsNoJsonIsNoPlan) {
  const testing::TempFolder folder;
  EXPECT_EQ(ReadTokenSet(folder.path()).error().code, ErrorCode::kInput);  // there is none
  for (const char* text : {"", "[]", "{", "{\"version\":1,\"version\":1}", "null"}) {
    testing::Put(folder.Path(kPlanFile), text);
    const auto set = ReadTokenSet(folder.path());
    ASSERT_FALSE(set.ok()) << text;
    EXPECT_EQ(set.error().code, ErrorCode::kCorruptData) << text;
  }
}

TEST(Manifest, RecordsComeBackAndBadItemsAreListed) {
  const testing::TempFolder folder;
  ASSERT_TRUE(WriteManifest(folder.path(), ASet(), Records()).ok());
  const auto back = ReadManifest(folder.path(), ASet());
  ASSERT_TRUE(back.ok()) << back.error().message;
  ASSERT_EQ(back->size(), 3u);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ((*back)[i].ToJson(), Records()[i].ToJson());
  const auto skipped = ReadFile(folder.Path(kSkippedFile), 1 << 10);
  ASSERT_TRUE(skipped.ok());
  EXPECT_EQ(Json::parse(*skipped)["source"], "a/b.png");
  EXPECT_EQ(ReadManifest(folder.Path("none"), ASet()).error().code, ErrorCode::kInput);
  const testing::TempFolder clean;
  ASSERT_TRUE(WriteManifest(clean.path(), ASet(), {RecordOf(0), RecordOf(1), RecordOf(2)}).ok());
  EXPECT_FALSE(ReadFile(clean.Path(kSkippedFile), 1 << 10).ok());
}

TEST(Manifest, IsOfItsPlanAndWhole) {
  EXPECT_EQ(ErrorOfManifest([](Json&) {}).message, "read");
  EXPECT_EQ(ErrorOfManifest([](Json& all) { all["profile"] = 1; }).message, "read");
  const Error other = ErrorOfManifest([](Json& all) { all["items"] = 6; });
  EXPECT_EQ(other.code, ErrorCode::kUsage);
  EXPECT_NE(other.message.find("another set"), std::string::npos) << other.message;
  for (const auto& change : std::initializer_list<std::function<void(Json&)>>{
           [](Json& all) { all.erase("format"); }, [](Json& all) { all.erase("shard_list"); },
           [](Json& all) { all["shard_list"] = 3; }, [](Json& all) { all["shard_list"].erase(1); },
           [](Json& all) { all["shard_list"].push_back(all["shard_list"][0]); },
           [](Json& all) { all["shard_list"][1] = 7; }}) {
    EXPECT_EQ(ErrorOfManifest(change).code, ErrorCode::kCorruptData);
  }
}

TEST(Manifest, EveryFieldOfARecordHasToBeThereAndSound) {
  const auto sound = Records()[1].ToJson();
  ASSERT_TRUE(ShardRecordOf(sound).ok());
  EXPECT_FALSE(ShardRecordOf(Json::array()).ok());
  const auto check = [&](const Json::json_pointer& object, const std::vector<const char*>& fields) {
    for (const char* field : fields) {
      Json changed = sound;
      changed[object].erase(field);
      EXPECT_FALSE(ShardRecordOf(changed).ok()) << object << " without " << field;
      for (const Json& value : {Json(nullptr), Json(-1), Json::object(), Json(1.5)}) {
        changed = sound;
        changed[object][field] = value;
        EXPECT_FALSE(ShardRecordOf(changed).ok()) << object << " " << field << " " << value;
      }
    }
    if (object.empty()) return;
    Json changed = sound;
    changed[object] = "text";
    EXPECT_FALSE(ShardRecordOf(changed).ok()) << object;
  };
  check(Json::json_pointer(""), {"shard", "items", "tokens", "files", "skipped"});
  check(Json::json_pointer("/files/0"), {"name", "bytes", "sha256"});
  check(Json::json_pointer("/skipped/0"), {"key", "source", "error"});
}

}  // namespace
}  // namespace vqc
