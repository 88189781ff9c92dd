// SPDX-License-Identifier: Apache-2.0
#include "base/tensor_file.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/file_part.h"
#include "base/printable.h"
#include "base/within_memory.h"

namespace vqc {
namespace {

// What changes when a file is written to.
struct Version {
  int64_t size = -1, seconds = 0, nanoseconds = 0;
  bool operator==(const Version&) const = default;
};

Version VersionOf(const struct stat& status) {
  return {status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
}

Error Failed(const std::string& what) { return {ErrorCode::kModel, what}; }

}  // namespace

struct TensorFile::Opened {
  explicit Opened(std::string of) : path(std::move(of)) {}
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;
  ~Opened() {
    if (file >= 0) close(file);
  }

  Error Named(const Error& error) const { return {error.code, Printable(path) + ": " + error.message}; }

  Status ReadAt(uint64_t offset, std::span<uint8_t> to) const {
    const auto got = vqc::ReadAt(file, offset, to);
    if (!got.ok()) return Failed(got.error().message);
    struct stat now {};
    if (*got < to.size() || fstat(file, &now) != 0 || !(VersionOf(now) == version)) {
      return Failed("was written to while it was in use; wait until it is whole and open the model again");
    }
    return {};
  }

  Status Open(const Limits& limits) {
    file = OpenToRead(path);
    if (file < 0) return Failed("cannot be opened: " + ErrnoText(errno));
    struct stat status {};
    if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) return Failed("is not a regular file");
    version = VersionOf(status);
    const auto size = static_cast<uint64_t>(status.st_size);
    std::vector<uint8_t> bytes(std::min<uint64_t>(size, kHeaderAt));
    VQC_TRY(ReadAt(0, bytes));
    VQC_ASSIGN(const uint64_t header_bytes, HeaderBytesOf(bytes, size, limits));
    bytes.resize(header_bytes);
    VQC_TRY(ReadAt(kHeaderAt, bytes));
    data_at = kHeaderAt + header_bytes;
    VQC_ASSIGN(header, ParseSafeTensorsHeader(bytes, size - data_at));
    return {};
  }

  std::string path;
  int file = -1;
  Version version;
  uint64_t data_at = 0;
  SafeTensorsHeader header;
};

Result<TensorFile> TensorFile::Open(const std::string& path, const Limits& limits) {
  return WithinMemory([&]() -> Result<TensorFile> {
    const auto opened = std::make_shared<Opened>(path);
    if (const Status status = opened->Open(limits); !status.ok()) return opened->Named(status.error());
    return TensorFile(opened);
  });
}

const std::map<std::string, StoredTensor>& TensorFile::Tensors() const { return opened_->header.tensors; }

Result<const StoredTensor*> TensorFile::Get(std::string_view name) const {
  const auto found = Tensors().find(std::string(name));
  if (found != Tensors().end()) return &found->second;
  return NoTensor(opened_->path, name, Tensors().size());
}

Status TensorFile::Read(const StoredTensor& place, uint64_t offset, std::span<uint8_t> to) const {
  const Status status = opened_->ReadAt(opened_->data_at + place.begin + offset, to);
  if (!status.ok()) return opened_->Named(status.error());
  return {};
}

Result<SafeTensors> TensorFile::Load(const std::function<bool(std::string_view name)>& wanted) const {
  return WithinMemory([&]() -> Result<SafeTensors> {
    std::map<std::string, std::vector<uint8_t>> bytes;
    std::map<std::string, TensorView> views;
    for (const auto& [name, place] : Tensors()) {
      if (!wanted(name)) continue;
      auto& read = bytes[name];
      read.resize(place.size);
      VQC_TRY(Read(place, 0, read));
      views[name] = {.dtype = place.dtype, .shape = place.shape, .bytes = read};
    }
    VQC_ASSIGN(auto file, WriteSafeTensors(views, {}));
    return SafeTensors::Parse(std::move(file), opened_->path);
  });
}

}  // namespace vqc
