// SPDX-License-Identifier: Apache-2.0
// "neural": a trained integer network that sees the tokens around, corrected by context mixing. Its
// distribution of a digit is one more input of the mixer, next to the contexts of "mixing", so that what a
// picture's own statistics say still counts. All integer: equal on every machine.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "entropy/neural_maps.h"
#include "entropy/neural_tables.h"
#include "entropy/prior.h"
#include "entropy/priors.h"

namespace vqc {

Result<std::shared_ptr<const PriorModel>> MakeNeuralPrior(const Factors& factors,
                                                          std::span<const uint8_t> tables);

// Trains the mixer for a small network of arbitrary weights. A network that knows something is trained by
// training/, which ends with FinishNeuralPrior; here everything but that can be tested and measured.
Result<std::unique_ptr<PriorTrainer>> MakeNeuralTrainer(const Factors& factors);

// Trains the mixer for a network on token maps, and gives the tables of both. Where the network computes does
// not change them: a GPU that cannot be had is done without.
Result<std::vector<uint8_t>> FinishNeuralPrior(const Factors& factors, const NeuralShape& shape,
                                               NeuralWeights weights, std::span<const Tokens> maps,
                                               const NeuralPlace& place = {});

}  // namespace vqc
