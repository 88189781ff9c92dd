// SPDX-License-Identifier: Apache-2.0
// The table of formats that shards of tokens are written in (docs/tokenize.md). A shard is one or several
// files whose bytes depend on its items, their order and the layout alone.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "data/tokens/hashed_file.h"
#include "data/tokens/item.h"

namespace vqc {

struct TokenSet;
struct ShardRecord;

class ShardWriter {
 public:
  virtual ~ShardWriter() = default;
  // Errors: kOutput; kInput where this format cannot hold the item, which then is not in the shard.
  virtual Status Add(const TokenItem& item) = 0;
  // REQUIRES: called once, last. Without it nothing is left of the shard.
  virtual Result<std::vector<ShardFile>> Finish() = 0;
};

class ShardReader {
 public:
  virtual ~ShardReader() = default;
  // The next item, nullopt at the end. Errors: kCorruptData, kLimit.
  virtual Result<std::optional<TokenItem>> Next() = 0;
};

struct ShardFormat {
  std::string_view name, about;
  std::span<const std::string_view> suffixes;  // of a shard's files; the first one's is opened
  Result<std::unique_ptr<ShardWriter>> (*create)(const std::string& folder, const std::string& stem,
                                                 const TokenLayout& layout);
  // `path` without the suffix. Errors: kInput, kCorruptData.
  Result<std::unique_ptr<ShardReader>> (*open)(const std::string& path, const TokenLayout& layout,
                                               const Limits& limits);
  // A file of the whole set, which the format's readers open first; its text from all shards. Empty and null:
  // none.
  std::string_view index_file = {};
  std::string (*index)(const TokenSet& set, const std::vector<ShardRecord>& shards) = nullptr;
};

std::span<const ShardFormat> ShardFormats();
const ShardFormat* FindShardFormat(std::string_view name);  // null where there is none
// The format that opens files with this name's ending; null where there is none.
const ShardFormat* ShardFormatOf(std::string_view file_name);

std::string StemOf(uint64_t shard);  // "000012"
// The shard whose file with this suffix has this name; nullopt where there is none.
std::optional<uint64_t> NumberOfShard(std::string_view file, std::string_view suffix);
std::vector<std::string> FilesOf(const ShardFormat& format, uint64_t shard);  // "000012.tar"

}  // namespace vqc
