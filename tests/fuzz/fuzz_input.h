// SPDX-License-Identifier: Apache-2.0
// What the fuzz targets are made of: decisions taken from bytes, and a file that has bytes.
//
// A target is a file with LLVMFuzzerTestOneInput. It is linked with libFuzzer in the preset "fuzz" and with
// driver.cc everywhere else. Whatever the bytes, nothing may crash, hang or break a promise (Require).
#pragma once

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace vqc::fuzz {

inline void Require(bool kept, const char* promise) {
  if (kept) return;
  std::fprintf(stderr, "a promise is broken: %s\n", promise);
  std::abort();
}

// Takes from the front; zeros where nothing is left.
class Input {
 public:
  Input(const uint8_t* data, size_t size) : bytes_(data, size) {}

  uint8_t U8() {
    const auto one = Bytes(1);
    return one.empty() ? 0 : one[0];
  }
  uint32_t U16() {
    const uint32_t low = U8();
    return low | uint32_t{U8()} << 8;
  }
  uint32_t U32() {
    const uint32_t low = U16();
    return low | U16() << 16;
  }
  std::span<const uint8_t> Bytes(size_t count) {
    const auto taken = bytes_.first(std::min(count, bytes_.size()));
    bytes_ = bytes_.subspan(taken.size());
    return taken;
  }
  std::span<const uint8_t> Rest() { return Bytes(bytes_.size()); }
  size_t Left() const { return bytes_.size(); }

 private:
  std::span<const uint8_t> bytes_;
};

// A file in memory with a path, for readers that take paths.
class MemoryFile {
 public:
  explicit MemoryFile(std::span<const uint8_t> bytes) : file_(memfd_create("fuzz", MFD_CLOEXEC)) {
    Require(file_ >= 0 && write(file_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()),
            "a file in memory can be made");
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() { close(file_); }

  std::string Path() const { return "/proc/self/fd/" + std::to_string(file_); }

 private:
  int file_;
};

// A folder for readers that take several files; removed with all that is in it.
class MemoryFolder {
 public:
  MemoryFolder() : path_(std::filesystem::exists("/dev/shm") ? "/dev/shm/fuzz-XXXXXX" : "/tmp/fuzz-XXXXXX") {
    Require(mkdtemp(path_.data()) != nullptr, "a folder in memory can be made");
  }
  MemoryFolder(const MemoryFolder&) = delete;
  MemoryFolder& operator=(const MemoryFolder&) = delete;
  ~MemoryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::string& Path() const { return path_; }
  void Put(const std::string& name, std::span<const uint8_t> bytes) const {
    std::ofstream(path_ + "/" + name, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }

 private:
  std::string path_;
};

}  // namespace vqc::fuzz
