// SPDX-License-Identifier: Apache-2.0
// The check of a chunk's tokens, which tells tokens that were decoded with the wrong tables.
#pragma once

#include "base/result.h"
#include "base/tokens.h"
#include "codec/container/stream.h"

namespace vqc {

// CRC-32C of the ids, little endian. A stream keeps the low 16 bits.
uint32_t TokenCrc(const Tokens& tokens);
Status CheckTokenCrc(const Tokens& tokens, const Chunk& chunk);

}  // namespace vqc
