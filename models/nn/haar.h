// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/nn/plane.h"

namespace vqc::nn {

// One level of the Haar wavelet on all channels: squares of four values become four channels, each a quarter
// of a sum or difference: all sums, then differences of rows, of columns, and of both, each of all channels.
// REQUIRES: even height and width
Plane HaarSplit(const Plane& x);
// Back. REQUIRES: a multiple of 4 channels
Plane HaarJoin(const Plane& x);

}  // namespace vqc::nn
