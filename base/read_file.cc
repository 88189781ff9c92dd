// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <new>

#include "base/beyond_limit.h"
#include "base/file.h"
#include "base/file_part.h"
#include "base/populate.h"
#include "base/printable.h"

namespace vqc {
namespace {

Error Unreadable(const std::string& path, const std::string& why) {
  return Error{ErrorCode::kInput, Printable(path) + ": " + why};
}

struct Most {
  uint64_t bytes;
  std::string_view limit;
};

Error TooLarge(const std::string& path, const std::string& found, const Most& most) {
  return BeyondLimit(Printable(path) + ": holds " + found + " bytes", most.limit, most.bytes);
}

// Everything from `fd` on; `expected` bytes are likely to come.
Result<std::vector<uint8_t>> ReadAll(int fd, const std::string& path, uint64_t expected, const Most& most) {
  constexpr uint64_t kStep = 1u << 16;
  try {
    std::vector<uint8_t> bytes;
    size_t size = 0;
    for (;;) {
      if (size == bytes.size()) {
        // One byte more than is expected, so that the end is seen without growing; then half as much again.
        const uint64_t more = size == 0 ? std::max(expected + 1, kStep) : std::max<uint64_t>(size / 2, kStep);
        const auto room = static_cast<size_t>(std::min(size + more, most.bytes + 1));
        if (size == 0) ReserveAtOnce(bytes, room);
        bytes.resize(room);
      }
      const ssize_t got = read(fd, bytes.data() + size, bytes.size() - size);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return Unreadable(path, "cannot be read: " + ErrnoText(errno));
      if (got == 0) break;
      size += static_cast<size_t>(got);
      if (size > most.bytes) return TooLarge(path, "more than " + std::to_string(most.bytes), most);
    }
    bytes.resize(size);
    return bytes;
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::kResource, Printable(path) + ": no memory to read it; close other programs"};
  }
}

}  // namespace

Result<std::vector<uint8_t>> ReadFile(const std::string& path, uint64_t max_bytes, std::string_view limit) {
  const Most most{std::min<uint64_t>(max_bytes, uint64_t{1} << 62), limit};
  if (path == "-") return ReadAll(STDIN_FILENO, "standard input", 0, most);
  const int fd = OpenToRead(path);
  if (fd < 0) {
    const int error = errno;
    const char* hint = error == ENOENT   ? "; check the path"
                       : error == EACCES ? "; give read permission or choose another file"
                                         : "";
    return Unreadable(path, "cannot be opened: " + ErrnoText(error) + hint);
  }
  struct stat info {};
  Result<std::vector<uint8_t>> result = Error{};
  if (fstat(fd, &info) != 0) {
    result = Unreadable(path, "cannot be examined: " + ErrnoText(errno));
  } else if (S_ISDIR(info.st_mode)) {
    result = Unreadable(path, "is a folder; name a file in it");
  } else if (!S_ISREG(info.st_mode)) {
    result = Unreadable(path, "is not a regular file; to read from a pipe or device, redirect it and name -");
  } else if (static_cast<uint64_t>(info.st_size) > most.bytes) {
    result = TooLarge(path, std::to_string(info.st_size), most);
  } else {
    result = ReadAll(fd, path, static_cast<uint64_t>(info.st_size), most);
  }
  close(fd);
  return result;
}

}  // namespace vqc
