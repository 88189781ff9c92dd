// SPDX-License-Identifier: Apache-2.0
// What pages of tables are compressed with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace vqc {

// Numbers of parquet.thrift.
enum class Compression : int64_t { kNone = 0, kSnappy = 1, kGzip = 2, kZstd = 6 };

// "none, snappy, gzip and zstd"
extern const std::string_view kReadCompressions;
bool IsReadCompression(int64_t number);

// The `size` bytes that `packed` stands for; nothing is asked for that it is too short for. Errors (kInput):
// damage. REQUIRES: IsReadCompression
Result<std::vector<uint8_t>> Unpack(std::span<const uint8_t> packed, size_t size, Compression compression);

}  // namespace vqc
