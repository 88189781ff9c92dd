// SPDX-License-Identifier: Apache-2.0
#include "data/tokens/folder_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <utility>
#include <vector>

#include "base/folder.h"
#include "base/printable.h"

namespace vqc {

FolderLock::FolderLock(FolderLock&& other) noexcept : folder_(std::exchange(other.folder_, -1)) {}

FolderLock::~FolderLock() {
  if (folder_ >= 0) close(folder_);
}

bool IsTemporary(const std::string& file_name) {
  return file_name.starts_with(".vqcodec.") && file_name.ends_with(".tmp");
}

Result<FolderLock> FolderLock::Take(const std::string& folder) {
  FolderLock lock(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (lock.folder_ < 0) {
    return Error{ErrorCode::kOutput,
                 Printable(folder) + ": the folder cannot be opened: " + ErrnoText(errno)};
  }
  if (flock(lock.folder_, LOCK_EX | LOCK_NB) == 0) {
    VQC_ASSIGN(const auto names, NamesInFolder(folder));
    for (const std::string& name : names) {
      if (IsTemporary(name)) unlink((folder + "/" + name).c_str());
    }
  }
  // Waits while another process is cleaning up.
  while (flock(lock.folder_, LOCK_SH) != 0 && errno == EINTR) {
  }
  return lock;
}

}  // namespace vqc
