// SPDX-License-Identifier: Apache-2.0
// The coding `table`: each level of a chunk with a table of its own (entropy/rans/symbols.h), one level after
// the other; nothing for a level whose vocabulary is 1.
#pragma once

#include <memory>

#include "entropy/digits.h"  // Factors
#include "entropy/prior.h"

namespace vqc {

std::shared_ptr<const PriorModel> MakeTablePrior(const Factors& factors);

// Bytes of a payload that are tables. kCorruptData where it is none of this coding.
Result<size_t> StoredTableBytes(std::span<const uint32_t> vocab, std::span<const uint8_t> payload);

}  // namespace vqc
