// SPDX-License-Identifier: Apache-2.0
// The bytes of an input: a file, a pipe, or memory.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace vqc {

class ByteSource {
 public:
  // "-" is standard input. Errors: kInput (missing, no permission, a folder).
  static Result<std::unique_ptr<ByteSource>> Open(const std::string& path);
  static std::unique_ptr<ByteSource> OfMemory(std::vector<uint8_t> bytes, std::string name);
  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  const std::string& name() const { return name_; }       // for messages
  std::optional<uint64_t> size() const { return size_; }  // nullopt: a pipe
  uint64_t position() const { return position_; }

  // As many bytes as there are, up to the size of `bytes`.
  Result<size_t> Read(std::span<uint8_t> bytes);
  // At least one byte and no more than is there without waiting; 0 at the end.
  Result<size_t> ReadAvailable(std::span<uint8_t> bytes);
  // The next bytes without moving on, at most kPeek.
  static constexpr size_t kPeek = 4096;
  Result<std::span<const uint8_t>> Peek(size_t count);
  // REQUIRES: a size. False where `position` is beyond it.
  bool Seek(uint64_t position);
  // Everything from here on, after which this is a source in memory. kLimit beyond max_bytes.
  Status ReadIntoMemory(uint64_t max_bytes);

 private:
  ByteSource() = default;
  Result<size_t> ReadSome(std::span<uint8_t> bytes);

  std::string name_;
  std::vector<uint8_t> memory_;  // where file_ < 0
  int file_ = -1;
  bool owns_file_ = false;
  uint64_t start_ = 0, position_ = 0;  // start_: where the file's own position was, for standard input
  std::optional<uint64_t> size_;
  std::vector<uint8_t> peeked_;  // bytes from position_ on, already taken from the file
};

}  // namespace vqc
