// SPDX-License-Identifier: Apache-2.0
#include "base/make_folders.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <vector>

#include "base/printable.h"

namespace vqc {
namespace {

namespace fs = std::filesystem;

// 0, or the error of fsync. A folder that may not be listed, and a file system without the call, are let
// pass.
int Store(const fs::path& folder) {
  const int file = open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return errno == EACCES ? 0 : errno;
  const int error = fsync(file) == 0 || errno == EINVAL ? 0 : errno;
  close(file);
  return error;
}

Error Failed(const std::string& folder, const std::string& why) {
  return {ErrorCode::kOutput, Printable(folder) + ": the folder cannot be made: " + why};
}

}  // namespace

Status MakeFolders(const std::string& folder) {
  if (folder.empty()) return {};  // the one at hand
  std::error_code error;
  std::vector<fs::path> missing;  // the lowest first
  for (fs::path at = fs::path(folder).lexically_normal(); !at.empty() && !fs::exists(at, error);
       at = at.parent_path()) {
    missing.push_back(at);
    if (at == at.root_path()) break;
  }
  fs::create_directories(folder, error);
  if (error) return Failed(folder, error.message());
  for (auto made = missing.rbegin(); made != missing.rend(); ++made) {
    if (!made->has_filename()) continue;  // a/ is made with a
    if (const int failed = Store(made->parent_path())) return Failed(folder, ErrnoText(failed));
  }
  return {};
}

}  // namespace vqc
