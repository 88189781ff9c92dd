// SPDX-License-Identifier: Apache-2.0
#include "data/tokens/read_set.h"

#include <algorithm>
#include <filesystem>

#include "base/folder.h"
#include "base/printable.h"

namespace vqc {
namespace {

namespace fs = std::filesystem;

struct Folder {
  std::shared_ptr<const TokenSet> set;
  std::vector<ShardRecord> records;  // empty without a manifest
};

Result<Folder> OpenFolder(const std::string& folder) {
  Folder opened;
  VQC_ASSIGN(const TokenSet set, ReadTokenSet(folder));
  opened.set = std::make_shared<const TokenSet>(set);
  if (!fs::exists(folder + "/" + kManifestFile)) return opened;
  VQC_ASSIGN(opened.records, ReadManifest(folder, set));
  return opened;
}

ShardToRead ShardIn(const std::string& folder, const Folder& opened, uint64_t number) {
  ShardToRead shard{folder + "/" + StemOf(number), FindShardFormat(opened.set->format), opened.set,
                    std::nullopt};
  if (number < opened.records.size()) shard.record = opened.records[number];
  return shard;
}

Status AddFolder(const std::string& folder, std::vector<ShardToRead>& shards) {
  VQC_ASSIGN(const Folder opened, OpenFolder(folder));
  const std::string_view suffix = FindShardFormat(opened.set->format)->suffixes.front();
  std::vector<uint64_t> numbers;  // that are there: a plan may tell of more than could ever be looked for
  VQC_ASSIGN(const auto names, NamesInFolder(folder));
  for (const std::string& name : names) {
    const auto number = NumberOfShard(name, suffix);
    if (number && *number < opened.set->Shards()) numbers.push_back(*number);
  }
  std::sort(numbers.begin(), numbers.end());
  for (const uint64_t number : numbers) shards.push_back(ShardIn(folder, opened, number));
  if (!numbers.empty()) return {};
  return Error{ErrorCode::kInput, Printable(folder) + ": holds no shard yet; go on with vqcodec tokenize"};
}

Status AddFile(const std::string& path, std::vector<ShardToRead>& shards) {
  const ShardFormat* format = ShardFormatOf(path);
  if (!format) {
    std::string known;
    for (const ShardFormat& row : ShardFormats())
      known += (known.empty() ? "" : ", ") + std::string(row.suffixes.front());
    return Error{ErrorCode::kInput, Printable(path) + ": is no shard by its name; those end in " + known};
  }
  const std::string stem = path.substr(0, path.size() - format->suffixes.front().size());
  const std::string folder = fs::path(path).has_parent_path() ? fs::path(path).parent_path().string() : ".";
  if (fs::exists(folder + "/" + kPlanFile)) {
    VQC_ASSIGN(const Folder opened, OpenFolder(folder));
    const auto number = NumberOfShard(fs::path(path).filename().string(), format->suffixes.front());
    if (number && *number < opened.set->Shards() && opened.set->format == format->name) {
      shards.push_back(ShardIn(folder, opened, *number));
      return {};
    }
  }
  shards.push_back({stem, format, nullptr, std::nullopt});
  return {};
}

}  // namespace

Result<std::vector<ShardToRead>> FindShards(const std::vector<std::string>& paths) {
  std::vector<ShardToRead> shards;
  for (const std::string& path : paths) {
    std::error_code ignored;
    VQC_TRY(fs::is_directory(path, ignored) ? AddFolder(path, shards) : AddFile(path, shards));
  }
  if (shards.empty())
    return Error{ErrorCode::kUsage, "no shard is named; name the folder of a set, or its shards"};
  return shards;
}

Status CheckShard(const ShardToRead& shard) {
  const std::string name = Printable(shard.Name());
  if (!shard.record) {
    return Error{ErrorCode::kInput,
                 name + ": cannot be checked, its folder has no manifest.json; complete the set"};
  }
  const std::string folder = fs::path(shard.path).parent_path().string();
  for (const ShardFile& file : shard.record->files) {
    VQC_ASSIGN(const ShardFile facts, FactsOfFile(folder, file.name));
    if (facts == file) continue;
    return Error{ErrorCode::kCorruptData,
                 Printable(folder + "/" + file.name) +
                     ": is not what the manifest says (SHA-256); make it again with the "
                     "vqcodec tokenize that made it"};
  }
  return {};
}

}  // namespace vqc
