// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "models/card.h"
#include "models/weights.h"

namespace vqc {

// Writes card.json and model.safetensors of a bundle into `folder`, replacing what is there. The card's
// identities are computed from the tensors.
Status WriteBundle(const std::string& folder, ModelCard card, const TensorBag& bag);

// Writes the bundle of `card` and `tensors` with another prior. The one before becomes an earlier prior; the
// same once more changes nothing.
Status ReplacePrior(const std::string& folder, ModelCard card, const SafeTensors& tensors,
                    const std::string& prior, std::vector<uint8_t> tables);

// The bundle of a trained tokenizer with the quantizer of card.config, its prior untrained. Prior and factors
// of the card are set here.
Status WriteTrainedBundle(const std::string& folder, ModelCard card, const TensorBag& bag);

}  // namespace vqc
