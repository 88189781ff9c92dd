// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "models/card.h"
#include "models/weights.h"
#include "training/image_trainer.h"

namespace vqc {

// Writes card.json and model.safetensors of a bundle into `folder`, replacing what is there. The card's
// identities are computed from the tensors.
Status WriteBundle(const std::string& folder, ModelCard card, const TensorBag& bag);

// How the ids of a quantizer split into digits, for a card: it has no empty lists, so the id is its own digit
// where they do not.
std::vector<std::vector<uint32_t>> CardFactors(const Quantizer& quantizer);

// Writes the bundle of `card` and `tensors` with another prior. The one before becomes an earlier prior; the
// same once more changes nothing.
Status ReplacePrior(const std::string& folder, ModelCard card, const SafeTensors& tensors,
                    const std::string& prior, std::vector<uint8_t> tables);

// The bundle of a trained image tokenizer, with an untrained prior.
Status WriteTrainedBundle(ImageTrainer& trainer, const TrainImageOptions& options);

}  // namespace vqc
