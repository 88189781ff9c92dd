// SPDX-License-Identifier: Apache-2.0
// The error of everything that is beyond a limit of base/limits.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vqc {

// kLimit: `what` was found, `limit` is the field of Limits. "the width is 40000; max_width is 32768,
// --max-width raises it if the source can be trusted". Where it is no field of them, and nothing raises it,
// `limit` is empty.
Error BeyondLimit(const std::string& what, std::string_view limit, uint64_t allowed);

}  // namespace vqc
