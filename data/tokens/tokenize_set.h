// SPDX-License-Identifier: Apache-2.0
// From the items of a source to a folder of shards, resumably.
//
// Shard s holds the items from s * shard_items on, whatever the number of threads and processes. It is
// written under a temporary name, stored on the disk, renamed, and then listed with its checksum in a
// journal. A run leaves out the shards that are listed and whose files have the checksums they should have.
// The process that finds all of them complete writes the manifest and removes the journals.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "data/tokens/medium.h"
#include "data/tokens/pipeline.h"
#include "data/tokens/source.h"
#include "data/tokens/token_set.h"
#include "tokenizers/tokenizer.h"

namespace vqc {

struct TokenizeOptions {
  std::string folder;               // made if need be
  uint64_t share = 0, shares = 1;   // this process makes the shards s with s % shares == share
  int readers = 1, tokenizers = 1;  // threads
  bool fail_fast = false;           // the first bad item ends the run
  bool overwrite = false;           // a set that is there is removed first
  MediumOptions medium;
  const std::atomic<bool>* stop = nullptr;  // once true, the run ends with the shard at hand
};

struct TokenizeState {
  uint64_t items = 0, of_items = 0;  // of the shards that this run has to make; done and in all
  uint64_t tokens = 0, skipped = 0;  // in those done
  PipelineLoad load;
};

struct TokenizeEvents {
  std::function<void(const TokenizeState&)> item;  // after each
  std::function<void(const BadItem&)> bad;
  std::function<void(const ShardRecord&)> shard;  // when it is complete
};

struct TokenizeReport {
  TokenizeState state;
  uint64_t made = 0, kept = 0;  // shards: by this run; complete before it
  uint64_t missing = 0;  // shards that are still to be made: by other processes, or after an interruption
  bool interrupted = false;
  std::vector<ShardRecord> shards;  // all that are complete
};

// Errors: kUsage (the folder holds another set, or is in use), kOutput, and with fail_fast that of the item.
Result<TokenizeReport> TokenizeItems(const TokenSet& set, const std::vector<SourceItem>& items,
                                     const Tokenizer& tokenizer, const TokenizeOptions& options,
                                     const TokenizeEvents& events);

}  // namespace vqc
