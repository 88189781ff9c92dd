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
  VQC_ASSIGN(const size_t got, ReadAt(file, offset, bytes));
  if (got < bytes.size()) return Failed("is shorter than it was when it was listed");
  return bytes;
}

}  // namespace

int OpenToRead(const std::string& path) {
  // O_NONBLOCK: regular files do not mind.
  return open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

Result<size_t> ReadAt(int file, uint64_t offset, std::span<uint8_t> to) {
  size_t done = 0;
  while (done < to.size()) {
    const ssize_t got = pread(file, to.data() + done, to.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failed("cannot be read: " + ErrnoText(errno));
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  return done;
}

Result<std::vector<uint8_t>> ReadFilePart(const std::string& path, uint64_t offset, uint64_t size) {
  const int file = OpenToRead(path);
  if (file < 0) return Failed("cannot be opened: " + ErrnoText(errno));
  auto bytes = ReadPart(file, offset, size);
  close(file);
  return bytes;
}

}  // namespace vqc
