// SPDX-License-Identifier: Apache-2.0
// For processors that are not x86-64.
#include "base/crc32c.h"

namespace vqc {

const Crc32cFunction Crc32cSse42 = nullptr;

}  // namespace vqc
