// SPDX-License-Identifier: Apache-2.0
// Structural similarity (Wang, Bovik, Sheikh, Simoncelli 2004, "Image quality assessment: from error
// visibility to structural similarity"), with the constants of the paper: Gaussian windows of 11 x 11 with a
// deviation of 1.5, K1 = 0.01, K2 = 0.03, L = 255, over all windows that lie inside the image. 1 for equal
// images.
#pragma once

#include "base/clip.h"
#include "base/result.h"
#include "eval/plane.h"

namespace vqc {

constexpr int kSsimWindow = 11;

// Means over all windows: of the whole index, and of its part for contrast and structure.
struct SsimMeans {
  double similarity = 0, contrast = 0;
};
// REQUIRES: planes of one size, both sides at least kSsimWindow
SsimMeans MeanSsim(const Plane& reference, const Plane& decoded);

// The mean over the red, green and blue planes. Errors: kInternal as in eval/psnr.h, kInput where a side is
// shorter than kSsimWindow.
Result<double> Ssim(const Clip& reference, const Clip& decoded);

}  // namespace vqc
