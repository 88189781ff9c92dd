// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"

namespace vqc {

// A regular file as memory that is read from the disk as it is used. The file must not be cut off meanwhile,
// or the system ends the program.
class MappedFile {
 public:
  // Errors: kInput (missing, no permission, not a regular file), kResource.
  static Result<MappedFile> Open(const std::string& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::span<const uint8_t> bytes() const { return bytes_; }

 private:
  MappedFile() = default;
  std::span<const uint8_t> bytes_;
};

}  // namespace vqc
