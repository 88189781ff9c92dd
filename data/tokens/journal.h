// SPDX-License-Identifier: Apache-2.0
// Journal: the shards that are complete, one line each, appended as they become so. A line is the CRC-32C of
// its text as 8 digits, a space, and the record as JSON; lines from the first damaged one on do not count.
// Several processes that share a set have a journal each.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "data/tokens/token_set.h"

namespace vqc {

class Journal {
 public:
  // The journal of process `share` of `shares`, made if need be and cut after its last good line. Errors:
  // kUsage (another process has it open), kOutput.
  static Result<Journal> Open(const std::string& folder, uint64_t share, uint64_t shares);
  Journal(Journal&& other) noexcept;
  Journal& operator=(Journal&&) = delete;
  ~Journal();

  // On return the line is on the disk.
  Status Append(const ShardRecord& record);

 private:
  Journal(int file, std::string path) : file_(file), path_(std::move(path)) {}

  int file_;
  std::string path_;
};

// The good lines of all journals in the folder. Errors: kInput.
Result<std::vector<ShardRecord>> ReadJournals(const std::string& folder);
// Removes them: the manifest has their records.
void RemoveJournals(const std::string& folder);

}  // namespace vqc
