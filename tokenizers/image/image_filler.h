// SPDX-License-Identifier: Apache-2.0
// The filler of an image model: lost tokens are the codewords of what a LatentFiller makes of the known ones.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "base/safetensors.h"
#include "models/card.h"
#include "tokenizers/token_filler.h"

namespace vqc {

// Where the metadata of `filler` name the model and hold the network's config as JSON.
inline constexpr char kFillerModel[] = "model_id", kFillerNetwork[] = "network";

// `model` are the weights of the card's model, `filler` those of kFillerFile. Error kModel says what does not
// fit.
Result<std::shared_ptr<const TokenFiller>> MakeImageFiller(const ModelCard& card, const SafeTensors& model,
                                                           const SafeTensors& filler,
                                                           const std::string& device, int threads);

}  // namespace vqc
