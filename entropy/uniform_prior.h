// SPDX-License-Identifier: Apache-2.0
// "uniform": all ids are equally likely. Costs log2 of the vocabulary a token, whatever the tokens are.
#pragma once

#include <memory>

#include "entropy/digits.h"
#include "entropy/prior.h"

namespace vqc {

std::shared_ptr<const PriorModel> MakeUniformPrior(const Factors& factors);

}  // namespace vqc
