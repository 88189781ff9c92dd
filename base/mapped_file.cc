// SPDX-License-Identifier: Apache-2.0
#include "base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/printable.h"

namespace vqc {

Result<MappedFile> MappedFile::Open(const std::string& path) {
  const auto failed = [&](ErrorCode code, const std::string& what) {
    return Error{code, Printable(path) + ": " + what};
  };
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return failed(ErrorCode::kInput, std::string("cannot be opened: ") + std::strerror(errno));
  struct stat status {};
  if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
    close(file);
    return failed(ErrorCode::kInput, "is not a regular file; only such can be mapped into memory");
  }
  MappedFile mapped;
  if (status.st_size > 0) {
    const auto size = static_cast<size_t>(status.st_size);
    void* at = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
    const int why = errno;
    close(file);
    if (at == MAP_FAILED) {
      return failed(ErrorCode::kResource, std::string("cannot be mapped into memory: ") + std::strerror(why));
    }
    mapped.bytes_ = {static_cast<const uint8_t*>(at), size};
  } else {
    close(file);
  }
  return mapped;
}

MappedFile::MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  return *this;
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) munmap(const_cast<uint8_t*>(bytes_.data()), bytes_.size());
}

}  // namespace vqc
