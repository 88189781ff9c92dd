// SPDX-License-Identifier: Apache-2.0
// Peak signal-to-noise ratio: 10 log10(255^2 / MSE) in dB, where MSE is the mean over all samples of the red,
// green and blue planes, both images rounded to 8 bits as a writer of files rounds them. Gray is three equal
// planes; alpha does not count. Equal images give infinity. The mean over images is the mean of their values
// in dB.
#pragma once

#include "base/clip.h"
#include "base/result.h"

namespace vqc {

// Error kInternal where the sizes differ or one is gray and the other is not.
Result<double> Psnr(const Clip& reference, const Clip& decoded);

}  // namespace vqc
