// SPDX-License-Identifier: Apache-2.0
#include "base/folder.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <new>
#include <string_view>
#include <utility>

#include "base/printable.h"

namespace vqc {
namespace {

using OpenFolder = std::unique_ptr<DIR, decltype([](DIR* open) { closedir(open); })>;

Error CannotBeListed(const std::string& folder, int error) {
  return {ErrorCode::kInput, Printable(folder) + ": the folder cannot be read: " + ErrnoText(error)};
}

enum class Kind { kFile, kFolder, kOther };

// Of what the path names; a link to a file is a file, one to a folder is something else.
Kind KindOf(const std::string& path) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) return Kind::kOther;
  if (S_ISDIR(info.st_mode)) return Kind::kFolder;
  if (S_ISLNK(info.st_mode) && stat(path.c_str(), &info) != 0) return Kind::kOther;
  return S_ISREG(info.st_mode) ? Kind::kFile : Kind::kOther;
}

}  // namespace

Result<std::vector<std::string>> NamesInFolder(const std::string& folder) {
  std::vector<std::string> names;
  const OpenFolder entries(opendir(folder.c_str()));
  if (!entries && errno == ENOMEM) throw std::bad_alloc();
  if (!entries) return CannotBeListed(folder, errno);
  for (errno = 0; const dirent* entry = readdir(entries.get()); errno = 0) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return CannotBeListed(folder, errno);
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::vector<std::string>> FilesBelow(const std::string& folder,
                                            const std::function<bool(const std::string&)>& left_out) {
  std::vector<std::string> files, folders = {folder};
  while (!folders.empty()) {
    std::string at = std::move(folders.back());
    folders.pop_back();
    VQC_ASSIGN(const auto names, NamesInFolder(at));
    if (!at.ends_with('/')) at += '/';
    for (const std::string& name : names) {
      std::string path = at + name;
      const Kind kind = KindOf(path);
      if (kind == Kind::kFile) files.push_back(std::move(path));
      if (kind == Kind::kFolder && !(left_out && left_out(path))) folders.push_back(std::move(path));
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace vqc
