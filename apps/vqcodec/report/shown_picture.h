// SPDX-License-Identifier: Apache-2.0
// Pictures and tokens as the page of a report holds them.
#pragma once

#include "apps/vqcodec/batch.h"
#include "base/clip.h"
#include "base/tokens.h"

namespace vqc {

constexpr int kShownSide = 2048;  // of a larger picture, the middle of this size is shown

// {original, decoded: {width, height, png | rgb}, tokens: {h, w, levels, ids}, cut}; bytes are in base64, ids
// 4 bytes little endian. PNG where this build has it, plain samples otherwise. REQUIRES: both clips have one
// size
Json ShownPicture(const Clip& original, const Clip& decoded, const Tokens& tokens);

}  // namespace vqc
