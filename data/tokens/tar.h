// SPDX-License-Identifier: Apache-2.0
// POSIX tar: what is in one, and members for one.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace vqc {

struct TarMember {
  std::string name;
  uint64_t offset = 0, size = 0;  // of its content
};

// The regular files in an archive: ustar, pax (path and size) and GNU long names; folders and links are left
// out. Errors (kInput) name the archive: a header that is damaged, an archive that is cut off, be it between
// two members.
Result<std::vector<TarMember>> TarMembers(std::span<const uint8_t> archive, const std::string& name);

// Header blocks before a content of that size: mode 0444, no owner, no time. A pax block comes first where
// the name does not fit. After the content come zeros up to TarPadded(size).
std::string TarHeader(std::string_view name, uint64_t size);
constexpr uint64_t TarPadded(uint64_t size) { return (size + 511) / 512 * 512; }
// WebDataset's cut of a member's name: at the first dot of its last part. Without a dot the second is empty.
std::pair<std::string_view, std::string_view> SplitKey(std::string_view name);

// Zeros at the end of an archive of so many bytes: two blocks, and up to a whole record of 20.
inline std::string TarEnd(uint64_t size) {
  return std::string(static_cast<size_t>((size + 1024 + 10239) / 10240 * 10240 - size), '\0');
}

}  // namespace vqc
