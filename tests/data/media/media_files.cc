// SPDX-License-Identifier: Apache-2.0
#include "tests/data/media/media_files.h"

#include "base/file.h"

namespace vqc {

std::vector<uint8_t> MediaBytes(const std::string& name) {
  auto bytes = ReadFile(std::string(VQC_SOURCE_DIR) + "/tests/data/media/files/" + name, 1u << 20);
  EXPECT_TRUE(bytes.ok()) << name;
  return bytes ? *std::move(bytes) : std::vector<uint8_t>();
}

}  // namespace vqc
