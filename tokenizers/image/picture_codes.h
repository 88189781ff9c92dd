// SPDX-License-Identifier: Apache-2.0
// One id for each row of latents of a picture.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "quantizers/search/codebook.h"
#include "tokenizers/audio/latent_codes.h"

namespace vqc {

// The closest codeword, searched exactly on up to `threads` threads.
std::unique_ptr<const LatentCodes> MakeCodebookCodes(Codebook codebook, int threads);

// Lookup-free (Yu et al. 2024, arXiv 2310.05737): bit j of the id says whether latent j is above 0, and is
// decoded to 1 or -1. There is no table, however many bits.
std::unique_ptr<const LatentCodes> MakeSignCodes(size_t bits);

// Finite scalars (Mentzer et al. 2024, arXiv 2309.15505): latent j is squashed by a hyperbolic tangent and
// rounded to one of levels[j] digits, which are decoded to values from -1 to 1. The id is the number that has
// these digits, the first the lowest. REQUIRES: 2 levels or more each, a product of at most 2^20
std::unique_ptr<const LatentCodes> MakeFsqCodes(const std::vector<uint32_t>& levels);

}  // namespace vqc
