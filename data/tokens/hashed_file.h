// SPDX-License-Identifier: Apache-2.0
// A file that is written from front to back and knows its checksum when it is complete.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/sha256.h"

namespace vqc {

struct ShardFile {
  std::string name;  // within the folder of the set
  uint64_t bytes = 0;
  Sha256 sha256{};

  bool operator==(const ShardFile&) const = default;
};

class HashedFile {
 public:
  // folder/name, replaced if it exists.
  static Result<HashedFile> Create(const std::string& folder, const std::string& name);

  Status Write(std::span<const uint8_t> bytes);
  Status Write(std::string_view text);
  uint64_t size() const { return facts_.bytes; }
  // On return the file is complete, under its name and on the disk. REQUIRES: called once, last.
  Result<ShardFile> Commit();

 private:
  HashedFile(OutputFile file, std::string name);
  Status Flush();

  OutputFile file_;
  ShardFile facts_;
  std::unique_ptr<Sha256Hasher> hasher_;
  std::vector<uint8_t> waiting_;
};

// Size and checksum of folder/name as they are now. Errors: kInput.
Result<ShardFile> FactsOfFile(const std::string& folder, const std::string& name);

}  // namespace vqc
