// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/tokens.h"
#include "entropy/digits.h"
#include "training/train_image.h"

namespace vqc {

// Tables of the prior "neural": its network, trained on those maps that have the most frequent shape, then
// the mixer, trained on all. options.network_only leaves the mixer untrained.
Result<std::vector<uint8_t>> TrainNeuralPrior(std::span<const Tokens> maps, const Factors& factors,
                                              const TrainPriorOptions& options);

}  // namespace vqc
