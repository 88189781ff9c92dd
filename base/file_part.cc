// SPDX-License-Identifier: Apache-2.0
#include "base/file_part.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/printable.h"

namespace vqc {
namespace {

Error Failed(const std::string& what) { return {ErrorCode::kInput, what}; }

Result<std::vector<uint8_t>> ReadPart(int file, uint64_t offset, uint64_t size) {
  struct stat info {};
  if (fstat(file, &info) != 0 || !S_ISREG(info.st_mode)) return Failed("is not a regular file");
  const auto there = static_cast<uint64_t>(info.st_size);
  if (offset > there || size > there - offset) return Failed("is shorter than it was when it was listed");
  std::vector<uint8_t> bytes(static_cast<size_t>(size));
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got =
        pread(file, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failed("cannot be read: " + ErrnoText(errno));
    if (got == 0) return Failed("is shorter than it was when it was listed");
    done += static_cast<size_t>(got);
  }
  return bytes;
}

}  // namespace

Result<std::vector<uint8_t>> ReadFilePart(const std::string& path, uint64_t offset, uint64_t size) {
  // O_NONBLOCK: opening a pipe that nobody writes to must not wait. Regular files do not mind.
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (file < 0) return Failed("cannot be opened: " + ErrnoText(errno));
  auto bytes = ReadPart(file, offset, size);
  close(file);
  return bytes;
}

}  // namespace vqc
