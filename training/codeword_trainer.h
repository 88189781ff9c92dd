// SPDX-License-Identifier: Apache-2.0
// Trains the prior "codeword" on tokens.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/safetensors.h"
#include "base/tokens.h"
#include "entropy/digits.h"
#include "training/train_image.h"

namespace vqc {

// Tables of the prior. Codewords begin as what the model's codebooks, tensors `quantizer.partN.codebook`, say
// of them, where there are such. Of options, those of the training of a network count.
Result<std::vector<uint8_t>> TrainCodewordPrior(std::span<const Tokens> maps, const Factors& factors,
                                                const SafeTensors& model, const TrainPriorOptions& options);

}  // namespace vqc
