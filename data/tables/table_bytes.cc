// SPDX-License-Identifier: Apache-2.0
#include "data/tables/table_bytes.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/file_part.h"
#include "base/printable.h"

namespace vqc {

TableBytes BytesInMemory(std::span<const uint8_t> bytes) {
  return {bytes.size(), [bytes](uint64_t offset, uint64_t count) -> Result<std::vector<uint8_t>> {
            if (offset > bytes.size() || count > bytes.size() - offset)
              return Error{ErrorCode::kInput, "is cut off"};
            const auto part = bytes.subspan(static_cast<size_t>(offset), static_cast<size_t>(count));
            return std::vector<uint8_t>(part.begin(), part.end());
          }};
}

Result<TableBytes> BytesOnDisk(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0)
    return Error{ErrorCode::kInput, "cannot be opened: " + ErrnoText(errno)};
  if (!S_ISREG(info.st_mode)) return Error{ErrorCode::kInput, "is not a regular file"};
  return TableBytes{static_cast<uint64_t>(info.st_size),
                    [path](uint64_t offset, uint64_t count) { return ReadFilePart(path, offset, count); }};
}

}  // namespace vqc
