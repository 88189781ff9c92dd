// SPDX-License-Identifier: Apache-2.0
// Multi-scale structural similarity (Wang, Simoncelli, Bovik 2003, "Multiscale structural similarity for
// image quality assessment"): eval/ssim.h at five sizes, each half of the one before, with the weights of the
// paper. 1 for equal images.
#pragma once

#include "base/clip.h"
#include "base/result.h"

namespace vqc {

constexpr int kMsSsimSide = 176;  // the smallest size, a sixteenth of it, still holds one window

// The product over the sizes of each colour plane (a negative mean counts as 0), then the mean over red,
// green and blue. Errors: kInternal as in eval/psnr.h, kInput where a side is shorter than kMsSsimSide.
Result<double> MsSsim(const Clip& reference, const Clip& decoded);

}  // namespace vqc
