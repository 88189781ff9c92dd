// SPDX-License-Identifier: Apache-2.0
// The tokens of a folder of samples, for a prior to learn from.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/tokens.h"
#include "tokenizers/tokenizer.h"

namespace vqc {

// Of all .npy files that AudioSet reads, in clips of ten seconds.
Result<std::vector<Tokens>> SoundTokens(const Tokenizer& tokenizer, const std::string& folder);

}  // namespace vqc
