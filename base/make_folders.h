// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"

namespace vqc {

// The folder and those above it, as far as they are missing. On return each that was made is on the disk: its
// name is stored in the folder that holds it. Error kOutput.
Status MakeFolders(const std::string& folder);

}  // namespace vqc
