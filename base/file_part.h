// SPDX-License-Identifier: Apache-2.0
// A part of a file.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace vqc {

// A descriptor to read the file by, or -1 and errno. Opening a pipe that nobody writes to does not wait.
int OpenToRead(const std::string& path);

// Fills `to` with the bytes from `offset` on and returns how many there were: fewer only where the file ends.
// Error (kInput): the file cannot be read; without its name.
Result<size_t> ReadAt(int file, uint64_t offset, std::span<uint8_t> to);

// `size` bytes from `offset` on. Errors (kInput): what is wrong, without the file's name: it cannot be opened
// or read, is no regular file, or ends before them.
Result<std::vector<uint8_t>> ReadFilePart(const std::string& path, uint64_t offset, uint64_t size);

}  // namespace vqc
