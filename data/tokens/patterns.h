// SPDX-License-Identifier: Apache-2.0
// Names on a command line that stand for several.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace vqc {

// Every {a,b} alternative and {000..012} range of numbers, in order, with as many digits as the first number
// has; then what *, ? and [...] match, by name. A name that is a file as it stands, or that matches nothing,
// is itself. kUsage beyond a million names.
Result<std::vector<std::string>> ExpandPattern(const std::string& name);

}  // namespace vqc
