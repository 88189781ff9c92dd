// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "models/audio_layers.h"
#include "quantizers/search/codebook.h"

namespace vqc::nn {

// What residual codes are made of, for engines that compute them in their own way. The parts see the same
// latents, and what they decode to is added up. Within a part each level sees what the levels before left
// over, at the mean of `stride` rows. Projections are null where there are none.
struct CodesLevel {
  const Codebook *codebook = nullptr;
  const audio::Linear *in = nullptr, *out = nullptr;  // around this level alone
  size_t stride = 1;
};
struct CodesPart {
  const audio::Linear *in = nullptr, *out = nullptr;  // around all levels
  std::vector<CodesLevel> levels;
};

}  // namespace vqc::nn
