// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "base/tokens.h"
#include "tokenizers/tokenizer.h"
#include "training/photo_set.h"

namespace vqc {

// Token maps of the whole photos, then of `crops` random crops of 256 x 256 pixels. The photos are on the
// CPU.
Result<std::vector<Tokens>> TokensOfPhotos(const Tokenizer& tokenizer, const PhotoSet& photos, int64_t crops,
                                           uint64_t seed);

}  // namespace vqc
