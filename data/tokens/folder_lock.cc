// SPDX-License-Identifier: Apache-2.0
#include "data/tokens/folder_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>
#include <utility>
#include <vector>

#include "base/printable.h"

namespace vqc {

namespace fs = std::filesystem;

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
    std::error_code error;
    std::vector<fs::path> left;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
      if (IsTemporary(it->path().filename().string())) left.push_back(it->path());
    }
    for (const fs::path& path : left) fs::remove(path, error);
  }
  // Waits while another process is cleaning up.
  while (flock(lock.folder_, LOCK_SH) != 0 && errno == EINTR) {
  }
  return lock;
}

}  // namespace vqc
