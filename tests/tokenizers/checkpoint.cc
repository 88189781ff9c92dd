// SPDX-License-Identifier: Apache-2.0
#include "tests/tokenizers/checkpoint.h"

#include <cstdlib>

namespace vqc::testing {

std::string CheckpointFolder(const std::string& family) {
  const char* other = std::getenv("VQCODEC_CHECKPOINTS");
  return (other ? std::string(other) : std::string(VQC_SOURCE_DIR) + "/tests/golden/import") + "/" + family;
}

}  // namespace vqc::testing
