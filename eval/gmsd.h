// SPDX-License-Identifier: Apache-2.0
// Gradient magnitude similarity deviation (Xue, Zhang, Mou, Bovik 2014, "Gradient magnitude similarity
// deviation: a highly efficient perceptual image quality index"). 0 for equal images; more is worse.
#pragma once

#include "base/clip.h"
#include "base/result.h"

namespace vqc {

// Of the luma, halved by means of 2 x 2, with Prewitt gradients and T = 170; beyond the borders samples are
// 0. The deviation is that of the whole population. Error kInternal as in eval/psnr.h.
Result<double> Gmsd(const Clip& reference, const Clip& decoded);

}  // namespace vqc
