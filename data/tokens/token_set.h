// SPDX-License-Identifier: Apache-2.0
// TokenSet: what a folder of shards is of. It is written first, as plan.json, and is part of manifest.json,
// which is written last: a folder without a manifest is not complete (docs/tokenize.md).
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/sha256.h"
#include "data/tokens/hashed_file.h"
#include "data/tokens/item.h"

namespace vqc {

inline constexpr char kPlanFile[] = "plan.json";
inline constexpr char kManifestFile[] = "manifest.json";
inline constexpr char kSkippedFile[] = "skipped.jsonl";  // bad items, one a line; only where there are some

struct TokenSet {
  std::string format;  // row of the table of shard formats
  std::string model;   // its name
  Sha256 model_id{};
  uint32_t profile = 0;  // numerics profile that the tokens were made with
  TokenLayout layout;
  uint64_t items = 0, shard_items = 1;  // of all sources; of every shard but the last
  Sha256 sources{};                     // IdentityOf the items
  Json options = Json::object();        // what else the tokens depend on

  uint64_t Shards() const { return (items + shard_items - 1) / shard_items; }
  uint64_t ItemsOf(uint64_t shard) const { return std::min(shard_items, items - shard * shard_items); }
  bool operator==(const TokenSet&) const = default;

  Json ToJson() const;
};

// From plan.json of the folder. Errors: kInput (missing), kCorruptData.
Result<TokenSet> ReadTokenSet(const std::string& folder);

struct BadItem {
  std::string key, source, error;

  Json ToJson() const;
};

// What became of a shard.
struct ShardRecord {
  uint64_t shard = 0;
  uint64_t items = 0, tokens = 0;  // in it
  std::vector<ShardFile> files;
  std::vector<BadItem> skipped;

  Json ToJson() const;
};
Result<ShardRecord> ShardRecordOf(const nlohmann::json& json);

// The records of all shards, by number. Errors: kInput (missing), kCorruptData; kUsage where it is of another
// set.
Result<std::vector<ShardRecord>> ReadManifest(const std::string& folder, const TokenSet& set);
// And the list of bad items before it.
Status WriteManifest(const std::string& folder, const TokenSet& set, const std::vector<ShardRecord>& shards);

}  // namespace vqc
