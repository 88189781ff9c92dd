// SPDX-License-Identifier: Apache-2.0
// Symbols of one level under tables of the blocks before (entropy/blockwise_tables.h), in the lanes of
// entropy/rans/lanes.h: states go on from block to block, only the table changes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"

namespace vqc {

// REQUIRES: at least one symbol, all below `alphabet`, 1 to 2^20
std::vector<uint8_t> EncodeOrder0(std::span<const uint32_t> symbols, uint32_t alphabet);
Status DecodeOrder0(std::span<const uint8_t> bytes, uint32_t alphabet, std::span<uint32_t> out);

}  // namespace vqc
