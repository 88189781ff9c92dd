// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/audio_layers.h"
#include "quantizers/search/codebook.h"
#include "tokenizers/audio/latent_codes.h"

namespace vqc {

// A part of a residual quantizer: levels that each take the codeword closest to what the levels before left
// over, perhaps between two projections of the latents. Parts see the same latents; their sums are added up.
struct ResidualPart {
  std::vector<audio::Linear> in, out;  // one each, or none
  std::vector<Codebook> levels;

  // Codebooks NAME.layers.N.codebook.embed [entries][dim], N from 0.
  static Result<ResidualPart> Load(const audio::Weights& weights, const std::string& name, size_t levels,
                                   size_t entries, size_t dim);
};

// REQUIRES: at least one part with a level each, of the same latents
std::unique_ptr<const LatentCodes> MakeResidualCodes(std::vector<ResidualPart> parts);

}  // namespace vqc
