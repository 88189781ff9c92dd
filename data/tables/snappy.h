// SPDX-License-Identifier: Apache-2.0
// Snappy, the raw format (format_description.txt of google/snappy): what pyarrow compresses pages of Parquet
// with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace vqc {

// The `size` bytes that `packed` stands for; nullopt where it is damaged or stands for another number.
std::optional<std::vector<uint8_t>> UnpackSnappy(std::span<const uint8_t> packed, size_t size);

}  // namespace vqc
