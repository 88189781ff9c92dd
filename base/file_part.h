// SPDX-License-Identifier: Apache-2.0
// A part of a file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace vqc {

// `size` bytes from `offset` on. Errors (kInput): what is wrong, without the file's name: it cannot be opened
// or read, is no regular file, or ends before them.
Result<std::vector<uint8_t>> ReadFilePart(const std::string& path, uint64_t offset, uint64_t size);

}  // namespace vqc
