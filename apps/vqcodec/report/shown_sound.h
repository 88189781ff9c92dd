// SPDX-License-Identifier: Apache-2.0
// Sound as the page of a report holds it.
#pragma once

#include "apps/vqcodec/batch.h"
#include "base/clip.h"

namespace vqc {

constexpr double kShownSeconds = 20;  // of a longer sound, its beginning is on the page

// {rate, frames, wav, cut}: a WAV file of the mean of the channels, 16 bits, in base64.
Json ShownSound(const Clip& clip);

}  // namespace vqc
