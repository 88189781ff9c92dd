// SPDX-License-Identifier: Apache-2.0
// "static": trained tables of each digit given the same digit left and up, and the digit before. Nothing is
// learned while coding, so it is the fastest trained prior and the simplest to port.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/result.h"
#include "entropy/digits.h"
#include "entropy/prior.h"
#include "entropy/priors.h"

namespace vqc {

Result<std::shared_ptr<const PriorModel>> MakeStaticPrior(const Factors& factors,
                                                          std::span<const uint8_t> bytes);
Result<std::unique_ptr<PriorTrainer>> MakeStaticTrainer(const Factors& factors);

}  // namespace vqc
