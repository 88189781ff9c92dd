// SPDX-License-Identifier: Apache-2.0
// The side data "rung" of an image (docs/format.md, field 11): its tokens are on a lower rung of the model's
// ladder. A byte for the rung, from 1, then the first bytes of the ladder's id.
#pragma once

#include <cstddef>

#include "codec/container/stream.h"

namespace vqc {

inline constexpr SideData kRungSide{11};
inline constexpr size_t kRungBytes = 5;

}  // namespace vqc
