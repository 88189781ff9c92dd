// SPDX-License-Identifier: Apache-2.0
// The table of tokenizers.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "base/safetensors.h"
#include "models/card.h"
#include "tokenizers/network_options.h"
#include "tokenizers/tokenizer.h"

namespace vqc {

// The tokenizer of card.tokenizer with these weights. Error kModel lists the known types.
Result<std::shared_ptr<const Tokenizer>> MakeTokenizer(const ModelCard& card, const SafeTensors& tensors,
                                                       const NetworkOptions& options);

}  // namespace vqc
