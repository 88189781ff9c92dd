// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"

namespace vqc {

// Held by every process that writes shards into a folder. The first of them removes the temporary files that
// a killed one left there. Where the file system has no locks, nothing is removed.
class FolderLock {
 public:
  // Errors: kOutput (the folder cannot be opened).
  static Result<FolderLock> Take(const std::string& folder);
  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock();

 private:
  explicit FolderLock(int folder) : folder_(folder) {}
  int folder_;
};

// Whether a file of this name is one of OutputFile's on its way.
bool IsTemporary(const std::string& file_name);

}  // namespace vqc
