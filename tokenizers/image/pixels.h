// SPDX-License-Identifier: Apache-2.0
// Between the pixels of pictures and what networks see of them: three colours, of a whole number of cells.
#pragma once

#include <cstdint>

#include "base/clip.h"

namespace vqc {

struct PixelArea {
  int top = 0, left = 0, height = 0, width = 0;
};

// Where a value of row, column and colour is in memory: from one to the next.
struct PixelSteps {
  int64_t row, column, colour;
};

// The area of a picture of 1 or 3 channels as three colours, beyond the picture its last row and column
// again. REQUIRES: it begins within the picture
void CopyPixels(const Clip& clip, const PixelArea& area, const PixelSteps& steps, float* out);

// What is within the picture of an area, whose first pixel is at `pixels`, clamped to [-1, 1]; of one channel
// the mean of the colours.
void PutPixels(const float* pixels, const PixelSteps& steps, const PixelArea& area, Clip& clip);

// A fixed picture of noise, whose latents make a numerics profile.
Clip ProbePicture(int side);

}  // namespace vqc
