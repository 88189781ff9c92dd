// SPDX-License-Identifier: Apache-2.0
#include "base/beyond_limit.h"

#include <algorithm>

namespace vqc {

Error BeyondLimit(const std::string& what, std::string_view limit, uint64_t allowed) {
  if (limit.empty())
    return Error{ErrorCode::kLimit, what + "; at most " + std::to_string(allowed) + " are allowed"};
  std::string option(limit);
  std::replace(option.begin(), option.end(), '_', '-');
  return Error{ErrorCode::kLimit, what + "; " + std::string(limit) + " is " + std::to_string(allowed) +
                                      ", --" + option + " raises it if the source can be trusted"};
}

}  // namespace vqc
