// SPDX-License-Identifier: Apache-2.0
// "codeword": an integer network (entropy/codeword_network.h) predicts whole codewords from those of the
// frames before and of the levels before in the same frame, for tokens of several levels, such as those of
// residual quantizers. Nothing is learned while coding. Cost: about 7 us a token of 1,024.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "entropy/codeword_tables.h"
#include "entropy/priors.h"

namespace vqc {

Result<std::shared_ptr<const PriorModel>> MakeCodewordPrior(const Factors& factors,
                                                            std::span<const uint8_t> bytes);
// Learns how frequent codewords are, and nothing of frames and levels: training/codeword_trainer.h does.
Result<std::unique_ptr<PriorTrainer>> MakeCodewordTrainer(const Factors& factors);

// Of the tokens of a level, what their ids become: their place in the order in which digits are coded.
std::vector<uint32_t> CodewordOrder(const std::vector<Digit>& digits, uint32_t vocab);

// Biases of codewords that are as frequent as `counts` says, one more each.
std::vector<int16_t> FrequencyBiases(std::span<const uint64_t> counts);

}  // namespace vqc
