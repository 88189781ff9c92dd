// SPDX-License-Identifier: Apache-2.0
// Pictures as the networks that judge them take them.
#pragma once

#include <torch/types.h>

#include "base/clip.h"

namespace vqc {

// [1, 3, H, W] in [-1, 1], of samples rounded to 8 bits; gray as three equal planes, without alpha.
torch::Tensor JudgedPicture(const Clip& clip);

}  // namespace vqc
