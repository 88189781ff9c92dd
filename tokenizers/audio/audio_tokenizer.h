// SPDX-License-Identifier: Apache-2.0
// The audio tokenizer: ids of any quantizer for every stride of samples, by the networks of models/audio_*.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "base/result.h"
#include "base/safetensors.h"
#include "models/card.h"
#include "tokenizers/tokenizer.h"

namespace vqc {

// Config of the card: {"network": {...}, "quantizer": {...}}.
Result<std::shared_ptr<const Tokenizer>> MakeAudioTokenizer(const ModelCard& card, const SafeTensors& tensors,
                                                            const std::string& device, int threads);

// The config with its defaults filled in and the outline of the grid beside it (tokenizers/outline.h), as a
// card holds it. Error kModel says what does not fit.
Result<nlohmann::json> CompleteAudioConfig(const nlohmann::json& config);

}  // namespace vqc
