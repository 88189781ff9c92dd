// SPDX-License-Identifier: Apache-2.0
#include "data/media/audio/byte_source.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/beyond_limit.h"
#include "base/printable.h"

namespace vqc {

Result<std::unique_ptr<ByteSource>> ByteSource::Open(const std::string& path) {
  auto source = std::unique_ptr<ByteSource>(new ByteSource());
  source->name_ = path == "-" ? "standard input" : Printable(path);
  const auto failed = [&](const std::string& why) {
    return Error{ErrorCode::kInput, source->name_ + ": " + why};
  };
  source->owns_file_ = path != "-";
  source->file_ = path == "-" ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (source->file_ < 0) return failed("cannot be opened: " + ErrnoText(errno));
  struct stat info {};
  if (fstat(source->file_, &info) != 0) return failed("cannot be examined: " + ErrnoText(errno));
  if (S_ISDIR(info.st_mode)) return failed("is a folder; name a file, or add --recursive");
  if (S_ISREG(info.st_mode)) {
    const off_t at = lseek(source->file_, 0, SEEK_CUR);
    source->start_ = at > 0 ? static_cast<uint64_t>(at) : 0;
    const auto size = static_cast<uint64_t>(info.st_size);
    source->size_ = size - std::min(size, source->start_);
  }
  return source;
}

std::unique_ptr<ByteSource> ByteSource::OfMemory(std::vector<uint8_t> bytes, std::string name) {
  auto source = std::unique_ptr<ByteSource>(new ByteSource());
  source->name_ = std::move(name);
  source->size_ = bytes.size();
  source->memory_ = std::move(bytes);
  return source;
}

ByteSource::~ByteSource() {
  if (owns_file_ && file_ >= 0) close(file_);
}

Result<size_t> ByteSource::ReadSome(std::span<uint8_t> bytes) {
  for (;;) {
    const ssize_t got = size_ ? pread(file_, bytes.data(), bytes.size(),
                                      static_cast<off_t>(start_ + position_ + peeked_.size()))
                              : read(file_, bytes.data(), bytes.size());
    if (got >= 0) return static_cast<size_t>(got);
    if (errno != EINTR) return Error{ErrorCode::kInput, name_ + ": cannot be read: " + ErrnoText(errno)};
  }
}

Result<size_t> ByteSource::Read(std::span<uint8_t> bytes) {
  if (file_ < 0) {
    const size_t count = std::min<size_t>(bytes.size(), memory_.size() - static_cast<size_t>(position_));
    std::copy_n(memory_.begin() + static_cast<ptrdiff_t>(position_), count, bytes.begin());
    position_ += count;
    return count;
  }
  size_t count = std::min(bytes.size(), peeked_.size());
  std::copy_n(peeked_.begin(), count, bytes.begin());
  peeked_.erase(peeked_.begin(), peeked_.begin() + static_cast<ptrdiff_t>(count));
  position_ += count;
  while (count < bytes.size()) {
    VQC_ASSIGN(const size_t got, ReadSome(bytes.subspan(count)));
    if (got == 0) break;
    count += got;
    position_ += got;
  }
  return count;
}

Result<size_t> ByteSource::ReadAvailable(std::span<uint8_t> bytes) {
  if (file_ < 0 || !peeked_.empty())
    return Read(bytes.first(std::min(bytes.size(), std::max<size_t>(peeked_.size(), 1))));
  VQC_ASSIGN(const size_t got, ReadSome(bytes));
  position_ += got;
  return got;
}

Result<std::span<const uint8_t>> ByteSource::Peek(size_t count) {
  count = std::min(count, kPeek);
  if (file_ < 0) {
    return std::span<const uint8_t>(memory_).subspan(
        static_cast<size_t>(position_),
        std::min<size_t>(count, memory_.size() - static_cast<size_t>(position_)));
  }
  while (peeked_.size() < count) {
    uint8_t more[kPeek];
    VQC_ASSIGN(const size_t got, ReadSome({more, count - peeked_.size()}));
    if (got == 0) break;
    peeked_.insert(peeked_.end(), more, more + got);
  }
  return std::span<const uint8_t>(peeked_).first(std::min(count, peeked_.size()));
}

bool ByteSource::Seek(uint64_t position) {
  if (!size_ || position > *size_) return false;
  peeked_.clear();
  position_ = position;
  return true;
}

Status ByteSource::ReadIntoMemory(uint64_t max_bytes) {
  if (file_ < 0) return {};
  std::vector<uint8_t> bytes;
  size_t size = 0;
  for (;;) {
    bytes.resize(size + std::max<size_t>(size / 2, size_t{1} << 16));
    VQC_ASSIGN(const size_t got, Read(std::span(bytes).subspan(size)));
    size += got;
    if (size > max_bytes) {
      return BeyondLimit(
          name_ + ": cannot be read piece by piece and holds " + std::to_string(size) + " bytes or more",
          "max_input_bytes", max_bytes);
    }
    if (got == 0) break;
  }
  bytes.resize(size);
  if (owns_file_) close(file_);
  file_ = -1;
  memory_ = std::move(bytes);
  size_ = size;
  position_ = 0;
  return {};
}

}  // namespace vqc
