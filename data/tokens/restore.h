// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clip.h"
#include "base/limits.h"
#include "base/result.h"
#include "data/tokens/item.h"
#include "tokenizers/tokenizer.h"

namespace vqc {

// The picture, the sound (at its own rate, [frame][channel]) or the actions that an item's tokens decode to.
// Errors: kCorruptData (the ids, their shape and the item's facts do not go together), kLimit, kResource (no
// part for resampling).
Result<Clip> RestoreItem(const TokenItem& item, const Tokenizer& tokenizer, const Limits& limits);

}  // namespace vqc
