// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "models/audio_layers.h"
#include "tokenizers/audio/latent_codes.h"

namespace vqc {

// The residual quantizer of DAC and SNAC: each level projects what the levels before left over to few
// dimensions, takes the codeword of the greatest cosine and projects it, as long as it is, back (Yu et al.
// 2021, arXiv 2110.04627). Level i sees means of strides[i] rows; a token stands for `rows` rows and has rows
// / strides[i] ids of level i, level after level. Tensors
// quantizer.quantizers.N.{in_proj,out_proj}.{weight,bias}, .codebook.weight.
struct ProjectedCodesConfig {
  size_t hidden = 1, entries = 2, dim = 1;
  size_t rows = 1;              // of a token
  std::vector<size_t> strides;  // each divides `rows`
};
Result<std::unique_ptr<const LatentCodes>> LoadProjectedCodes(const audio::Weights& weights,
                                                              const ProjectedCodesConfig& config);

}  // namespace vqc
