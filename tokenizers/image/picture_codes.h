// SPDX-License-Identifier: Apache-2.0
// One id for each row of latents of a picture.
#pragma once

#include <memory>

#include "quantizers/search/codebook.h"
#include "tokenizers/audio/latent_codes.h"

namespace vqc {

// The closest codeword, searched exactly on up to `threads` threads.
std::unique_ptr<const LatentCodes> MakeCodebookCodes(Codebook codebook, int threads);

// Lookup-free (Yu et al. 2024, arXiv 2310.05737): bit j of the id says whether latent j is above 0, and is
// decoded to 1 or -1. There is no table, however many bits.
std::unique_ptr<const LatentCodes> MakeSignCodes(size_t bits);

}  // namespace vqc
