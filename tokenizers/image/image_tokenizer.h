// SPDX-License-Identifier: Apache-2.0
// The image tokenizer: one id per cell of stride x stride pixels, by a convolutional autoencoder.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "base/safetensors.h"
#include "models/card.h"
#include "tokenizers/tokenizer.h"

namespace vqc {

// Config of the card: {"network": {...}, "quantizer": {...}, "tile": 1024}.
Result<std::shared_ptr<const Tokenizer>> MakeImageTokenizer(const ModelCard& card, const SafeTensors& tensors,
                                                            const std::string& device, int threads);

// The config with its defaults filled in and the outline of the grid beside it (tokenizers/outline.h), as a
// card holds it. Error kModel says what does not fit.
Result<nlohmann::json> CompleteImageConfig(const nlohmann::json& config);

}  // namespace vqc
