// SPDX-License-Identifier: Apache-2.0
// Parts of the program that are shared libraries loaded on demand, because what they need is slow to load.
#pragma once

#include <string>

#include "base/result.h"

namespace vqc {

// Address of `symbol` in lib<part>.so, which lies in $VQCODEC_PARTS, beside the vqcodec library, or in
// vqcodec/ beside it. The library stays loaded. Error kResource lists the places and carries dlerror's text.
Result<void*> LoadPart(const std::string& part, const std::string& symbol);

}  // namespace vqc
