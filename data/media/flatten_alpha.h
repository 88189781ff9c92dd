// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "base/clip.h"

namespace vqc {

// Red, green, blue in [-1, 1].
using Colour = std::array<float, 3>;

// The picture over a background: colour * alpha + background * (1 - alpha), on the samples as they are
// stored. A gray picture stays gray over a gray background. REQUIRES: clip.HasAlpha()
Clip FlattenAlpha(Clip clip, const Colour& background);

}  // namespace vqc
