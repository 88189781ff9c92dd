// SPDX-License-Identifier: Apache-2.0
// Configs that are written by hand have commas behind a last field, which Python's own literals allow and
// JSON does not.
#pragma once

#include <string>
#include <string_view>

namespace vqc {

// `text` with a space for each comma between a value and the bracket that closes its object or array: what
// is meant is beyond doubt. All other bytes are as they were and where they were, the text in strings too.
std::string WithoutTrailingCommas(std::string_view text);

}  // namespace vqc
