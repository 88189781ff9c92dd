// SPDX-License-Identifier: Apache-2.0
#include "data/tokens/token_set.h"

#include <algorithm>

#include "base/file.h"
#include "base/json.h"
#include "base/printable.h"
#include "base/within_memory.h"
#include "data/tokens/shard_format.h"
#include "models/card.h"

namespace vqc {
namespace {

constexpr int kVersion = 1;
constexpr Modality kModalities[] = {Modality::kImage, Modality::kAudio, Modality::kAction};
constexpr uint64_t kMaxBytes = 1ull << 32;
constexpr uint64_t kMaxCount = 1ull << 40;
constexpr JsonLimits kJsonLimits{.max_values = size_t{1} << 28};

// Reads fields of one object; the first one that is missing or of another kind is an error.
class Fields {
 public:
  explicit Fields(const nlohmann::json& object) : object_(object) {}

  const nlohmann::json* Find(const char* name) {
    const auto found = object_.find(name);
    if (found != object_.end()) return &*found;
    if (bad_.empty()) bad_ = name;
    return nullptr;
  }
  std::string Text(const char* name) {
    const auto* value = Find(name);
    if (value && value->is_string()) return value->get<std::string>();
    if (bad_.empty()) bad_ = name;
    return {};
  }
  uint64_t Number(const char* name, uint64_t max) {
    const auto* value = Find(name);
    if (value && value->is_number_unsigned() && value->get<uint64_t>() <= max) return value->get<uint64_t>();
    if (bad_.empty()) bad_ = name;
    return 0;
  }
  Sha256 Sum(const char* name) {
    const auto sum = ParseSha256(Text(name));
    if (!sum && bad_.empty()) bad_ = name;
    return sum.value_or(Sha256{});
  }
  Status Check() const {
    if (bad_.empty()) return {};
    return Error{ErrorCode::kCorruptData, "its field " + bad_ + " is missing or not as it should be"};
  }

 private:
  const nlohmann::json& object_;
  std::string bad_;
};

Result<nlohmann::json> ReadJson(const std::string& path) {
  VQC_ASSIGN(const auto bytes, ReadFile(path, kMaxBytes));
  auto json = ParseJsonObject({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, kJsonLimits);
  if (json.ok()) return json;
  return Error{ErrorCode::kCorruptData, Printable(path) + ": " + json.error().message};
}

// The options come last: nothing that can fail has them to destroy.
Result<TokenSet> TokenSetOf(const nlohmann::json& json) {
  Fields fields(json);
  TokenSet set;
  if (fields.Number("version", 1000) != kVersion) {
    return Error{ErrorCode::kCorruptData, "it is of another version than 1; use the vqcodec that wrote it"};
  }
  set.format = fields.Text("format");
  const auto* model = fields.Find("model");
  VQC_TRY(fields.Check());
  if (!FindShardFormat(set.format)) {
    return Error{ErrorCode::kCorruptData, "its format " + Printable(set.format) + " is not known"};
  }
  Fields of_model(model->is_object() ? *model : json);
  set.model = of_model.Text("name");
  set.model_id = of_model.Sum("id");
  set.profile = static_cast<uint32_t>(of_model.Number("profile", UINT32_MAX));
  const std::string modality = of_model.Text("modality");
  VQC_TRY(of_model.Check());
  const auto known = std::find_if(std::begin(kModalities), std::end(kModalities),
                                  [&](Modality one) { return NameOf(one) == modality; });
  if (known == std::end(kModalities)) {
    return Error{ErrorCode::kCorruptData,
                 "its modality " + Printable(modality) + " is not image, audio or action"};
  }
  set.layout.modality = *known;
  const auto* vocab = fields.Find("vocab");
  set.items = fields.Number("items", kMaxCount);
  set.shard_items = fields.Number("shard_items", kMaxCount);
  set.sources = fields.Sum("sources");
  const auto* options = fields.Find("options");
  VQC_TRY(fields.Check());
  for (size_t i = 0; vocab->is_array() && i < vocab->size(); ++i) {
    const auto& size = (*vocab)[i];
    if (!size.is_number_unsigned() || size.get<uint64_t>() == 0 || size.get<uint64_t>() > UINT32_MAX) break;
    set.layout.vocab.push_back(size.get<uint32_t>());
  }
  if (set.layout.vocab.empty() || set.layout.vocab.size() != vocab->size() || set.shard_items == 0) {
    return Error{ErrorCode::kCorruptData, "its vocab or shard_items are not as they should be"};
  }
  set.options = OrderedOf(*options);
  return set;
}

Error InFile(const std::string& path, const Error& error) {
  return {error.code, Printable(path) + ": " + error.message};
}

}  // namespace

Json TokenSet::ToJson() const {
  return {{"version", kVersion},
          {"format", format},
          {"model",
           {{"name", model},
            {"id", HexOf(model_id)},
            {"modality", NameOf(layout.modality)},
            {"profile", profile}}},
          {"vocab", layout.vocab},
          {"level_offsets", layout.LevelOffsets()},
          {"axes", AxesOf(layout)},
          {"ids", layout.IdBytes() == 2 ? "uint16" : "uint32"},
          {"items", items},
          {"shard_items", shard_items},
          {"shards", Shards()},
          {"sources", HexOf(sources)},
          {"options", options}};
}

Result<TokenSet> ReadTokenSet(const std::string& folder) {
  return WithinMemory([&]() -> Result<TokenSet> {
    const std::string path = folder + "/" + kPlanFile;
    VQC_ASSIGN(auto json, ReadJson(path));
    const EmptiedAtEnd emptied(json);
    auto set = TokenSetOf(json);
    if (!set.ok()) return InFile(path, set.error());
    return set;
  });
}

Json BadItem::ToJson() const { return {{"key", key}, {"source", source}, {"error", error}}; }

Json ShardRecord::ToJson() const {
  Json json = {{"shard", shard},
               {"items", items},
               {"tokens", tokens},
               {"files", Json::array()},
               {"skipped", Json::array()}};
  for (const ShardFile& file : files) {
    json["files"].push_back({{"name", file.name}, {"bytes", file.bytes}, {"sha256", HexOf(file.sha256)}});
  }
  for (const BadItem& bad : skipped) json["skipped"].push_back(bad.ToJson());
  return json;
}

Result<ShardRecord> ShardRecordOf(const nlohmann::json& json) {
  const auto bad = [] {
    return Error{ErrorCode::kCorruptData, "the record of a shard is not as it should be"};
  };
  if (!json.is_object()) return bad();
  Fields fields(json);
  ShardRecord record;
  record.shard = fields.Number("shard", kMaxCount);
  record.items = fields.Number("items", kMaxCount);
  record.tokens = fields.Number("tokens", UINT64_MAX);
  const auto* files = fields.Find("files");
  const auto* skipped = fields.Find("skipped");
  VQC_TRY(fields.Check());
  if (!files->is_array() || !skipped->is_array()) return bad();
  for (const auto& file : *files) {
    if (!file.is_object()) return bad();
    Fields of_file(file);
    ShardFile facts{of_file.Text("name"), of_file.Number("bytes", UINT64_MAX), of_file.Sum("sha256")};
    VQC_TRY(of_file.Check());
    if (facts.name.empty() || facts.name.find('/') != std::string::npos) return bad();
    record.files.push_back(std::move(facts));
  }
  for (const auto& item : *skipped) {
    if (!item.is_object()) return bad();
    Fields of_item(item);
    BadItem facts{of_item.Text("key"), of_item.Text("source"), of_item.Text("error")};
    VQC_TRY(of_item.Check());
    record.skipped.push_back(std::move(facts));
  }
  return record;
}

Result<std::vector<ShardRecord>> ReadManifest(const std::string& folder, const TokenSet& set) {
  return WithinMemory([&]() -> Result<std::vector<ShardRecord>> {
    const std::string path = folder + "/" + kManifestFile;
    VQC_ASSIGN(auto json, ReadJson(path));
    const EmptiedAtEnd emptied(json);
    auto other = TokenSetOf(json);
    if (!other.ok()) return InFile(path, other.error());
    const EmptiedAtEnd emptied_options(other->options);
    if (!(*other == set))
      return Error{ErrorCode::kUsage, Printable(path) + ": is of another set than plan.json"};
    const auto shards = json.find("shard_list");
    std::vector<ShardRecord> records;
    if (shards != json.end() && shards->is_array()) {
      for (const auto& shard : *shards) {
        auto record = ShardRecordOf(shard);
        if (!record.ok()) return InFile(path, record.error());
        records.push_back(std::move(*record));
      }
    }
    if (records.size() == set.Shards()) return records;
    return Error{ErrorCode::kCorruptData, Printable(path) + ": tells of " + std::to_string(records.size()) +
                                              " shards, there should be " + std::to_string(set.Shards())};
  });
}

Status WriteManifest(const std::string& folder, const TokenSet& set, const std::vector<ShardRecord>& shards) {
  Json json = set.ToJson();
  const std::string plan = json.dump();
  uint64_t items = 0, tokens = 0, skipped = 0;
  std::string bad_items;
  Json list = Json::array();
  for (const ShardRecord& shard : shards) {
    for (const BadItem& bad : shard.skipped) bad_items += RecordLine(bad.ToJson());
    items += shard.items;
    tokens += shard.tokens;
    skipped += shard.skipped.size();
    list.push_back(shard.ToJson());
  }
  if (skipped > 0) VQC_TRY(WriteFileAtomically(folder + "/" + kSkippedFile, bad_items, {.force = true}));
  json["plan_sha256"] = HexOf(Sha256Of({reinterpret_cast<const uint8_t*>(plan.data()), plan.size()}));
  json["written"] = items;
  json["skipped"] = skipped;
  json["tokens"] = tokens;
  json["shard_list"] = std::move(list);
  return WriteFileAtomically(folder + "/" + kManifestFile,
                             json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n",
                             {.force = true});
}

}  // namespace vqc
