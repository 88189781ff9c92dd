// SPDX-License-Identifier: Apache-2.0
// Errors of the integer networks that priors consist of.
#pragma once

#include <string>

#include "base/result.h"

namespace vqc {

// kModel. `prior` is its name, `what` goes on after "the network of the prior ...".
inline Error NetworkError(const std::string& prior, const std::string& what) {
  return Error{ErrorCode::kModel, "the network of the prior \"" + prior + "\" " + what +
                                      "; take the model from where it came once more"};
}

// NetworkError where there are not as many `what` as the sizes of the network make.
inline Status CheckNetworkSize(const std::string& prior, const char* what, size_t found, size_t needed) {
  if (found == needed) return {};
  return NetworkError(
      prior, "has " + std::to_string(found) + " " + what + ", its sizes make " + std::to_string(needed));
}

}  // namespace vqc
