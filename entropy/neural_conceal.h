// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/tokens.h"
#include "entropy/digits.h"
#include "entropy/neural_network.h"

namespace vqc {

// Fills lost tokens with what the network expects from those around: digit by digit the mean of its
// distribution, which is nearest to the truth in squared error. Holes are filled from their rim inwards, a
// layer at a time; the tokens of a layer do not see each other. `lost` as in entropy/conceal.h. REQUIRES:
// tokens of one level whose digits are those of the network
void ConcealWith(const NeuralNetwork& network, const std::vector<Digit>& digits, Tokens& tokens,
                 std::span<const uint8_t> lost);

}  // namespace vqc
