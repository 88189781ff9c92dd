// SPDX-License-Identifier: Apache-2.0
// Files read whole, and files that appear whole or not at all.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace vqc {

// A regular file, or standard input for "-". `limit` is the field of Limits that max_bytes is, where it is
// one. Errors: kInput (missing, no permission, a folder, a device or pipe), kLimit (more than max_bytes),
// kResource (no memory).
Result<std::vector<uint8_t>> ReadFile(const std::string& path, uint64_t max_bytes,
                                      std::string_view limit = {});

struct WriteOptions {
  bool force = false;  // may replace a regular file or a symbolic link (the link itself, never its target)
};

// A file under a temporary name in the folder of `path`, renamed by Commit and removed if that never comes.
// "-" and "/dev/stdout" are standard output, and devices and pipes are written directly: there is nothing to
// rename. Errors: kExists (without force), kOutput.
class OutputFile {
 public:
  static Result<OutputFile> Create(const std::string& path, const WriteOptions& options = {});
  OutputFile(OutputFile&&) noexcept;
  OutputFile& operator=(OutputFile&&) noexcept;
  ~OutputFile();

  Status Write(std::span<const uint8_t> bytes);
  // Bytes that were written before, in another way. Only of files that will be renamed (CanOverwrite).
  bool CanOverwrite() const;
  Status Overwrite(uint64_t offset, std::span<const uint8_t> bytes);
  // On return without error the file is complete under its name and on the disk.
  // REQUIRES: called at most once; nothing is written afterwards.
  Status Commit();

 private:
  struct State;
  explicit OutputFile(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

Status WriteFileAtomically(const std::string& path, std::span<const uint8_t> bytes,
                           const WriteOptions& options = {});
Status WriteFileAtomically(const std::string& path, std::string_view text, const WriteOptions& options = {});

// Removes the temporary file of every OutputFile that is open in this process. Async-signal-safe: meant for
// a handler of SIGINT or SIGTERM, which then ends the process.
void RemoveTemporaryFiles() noexcept;

}  // namespace vqc
