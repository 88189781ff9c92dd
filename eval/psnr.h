// SPDX-License-Identifier: Apache-2.0
// Peak signal-to-noise ratio: 10 log10(255^2 / MSE) in dB. Equal images give infinity. The mean over images
// is the mean of their values in dB. docs/metrics.md has the details.
#pragma once

#include "base/clip.h"
#include "base/result.h"

namespace vqc {

// MSE over all samples of the red, green and blue planes; gray is three equal planes.
// Error kInternal where the sizes differ or one is gray and the other is not.
Result<double> Psnr(const Clip& reference, const Clip& decoded);

// MSE of the luma (eval/plane.h). Errors as above.
Result<double> PsnrLuma(const Clip& reference, const Clip& decoded);

}  // namespace vqc
