// SPDX-License-Identifier: Apache-2.0
// Where the bytes of a table come from: a file, of which parts are read, or memory.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace vqc {

struct TableBytes {
  uint64_t size = 0;
  // All of `count` bytes from `offset` on, or an error (kInput) without a name. Thread-safe.
  std::function<Result<std::vector<uint8_t>>(uint64_t offset, uint64_t count)> read;
};

TableBytes BytesInMemory(std::span<const uint8_t> bytes);  // which must outlive it
// Opens the file for each read, so that any number of tables needs no descriptors. Errors: kInput.
Result<TableBytes> BytesOnDisk(const std::string& path);

}  // namespace vqc
