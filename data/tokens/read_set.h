// SPDX-License-Identifier: Apache-2.0
// Shards that are read again: a folder with a plan, or single files.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/tokens/shard_format.h"
#include "data/tokens/token_set.h"

namespace vqc {

struct ShardToRead {
  std::string path;  // without the suffix
  const ShardFormat* format = nullptr;
  std::shared_ptr<const TokenSet> set;  // null where no plan.json lies beside it
  std::optional<ShardRecord> record;    // where the manifest of its folder tells of it

  std::string Name() const { return path + std::string(format->suffixes.front()); }
};

// Of a folder every shard that is there, by number; a file as it is named. Errors: kInput (nothing there, no
// plan in a folder, a name of no known ending), kCorruptData (a plan or manifest that is damaged).
Result<std::vector<ShardToRead>> FindShards(const std::vector<std::string>& paths);

// The files against the manifest. Errors: kCorruptData names the file; kInput where there is no manifest.
Status CheckShard(const ShardToRead& shard);

}  // namespace vqc
