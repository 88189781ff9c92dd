// SPDX-License-Identifier: Apache-2.0
// The coding `blockwise`: tables of the blocks before, nothing stored, far faster than coding digit by digit.
//
//   neighbours (1 byte): how many are listed, 0 to 8 | the list (1 byte each, enum Match)
//   none: per level whose vocabulary is above 1, a size (varint) and the bytes of entropy/blockwise_order0.h
//   some: what entropy/blockwise_match.h writes
#pragma once

#include <memory>

#include "entropy/digits.h"  // Factors
#include "entropy/prior.h"

namespace vqc {

std::shared_ptr<const PriorModel> MakeBlockwisePrior(const Factors& factors);

}  // namespace vqc
