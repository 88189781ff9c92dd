// SPDX-License-Identifier: Apache-2.0
// Chunks through a network and a quantizer: action-rvq (convolutional pyramid) and action-mlp.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "base/safetensors.h"
#include "models/card.h"
#include "tokenizers/tokenizer.h"

namespace vqc {

// Config of the card: that of ActionConfig, "network" (models/action_network.h) and "quantizer". One token
// time a chunk, all levels at one position. Tokens of a residual quantizer may be cut to their first levels:
// the chunk gets coarser.
Result<std::shared_ptr<const Tokenizer>> MakeNetworkActionTokenizer(const ModelCard& card,
                                                                    const SafeTensors& tensors,
                                                                    const std::string& device, int threads);

}  // namespace vqc
