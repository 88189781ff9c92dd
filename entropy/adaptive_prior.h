// SPDX-License-Identifier: Apache-2.0
// "adaptive": each digit's frequencies so far in the chunk, without neighbours and without training.
#pragma once

#include <memory>

#include "entropy/digits.h"
#include "entropy/prior.h"

namespace vqc {

std::shared_ptr<const PriorModel> MakeAdaptivePrior(const Factors& factors);

}  // namespace vqc
