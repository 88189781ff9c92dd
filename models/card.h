// SPDX-License-Identifier: Apache-2.0
// ModelCard: what a bundle's card.json says. A bundle is a folder with card.json and model.safetensors.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/sha256.h"
#include "codec/container/stream.h"
#include "models/safetensors.h"

namespace vqc {

struct ModelCard {
  int card_version = 1;
  std::string name;  // "image-f16"
  Modality modality = Modality::kImage;
  std::string tokenizer;                       // row of the tokenizer table
  nlohmann::json config;                       // of the tokenizer; parsed into a struct by its own file
  std::string prior;                           // default row of the prior table
  std::vector<std::vector<uint32_t>> factors;  // see entropy/priors.h
  Sha256 model_id{};                           // of the tensors outside "prior.", and of tokenizer and config
  Sha256 prior_id{};                           // of the tensors under "prior.", and of prior and factors
  nlohmann::json about;                        // license, data, losses, steps, figures, command: for people

  ModelKey Key() const;
};

std::string_view NameOf(Modality modality);  // "image"

// Strict: every field above and no other, no duplicate, ids in lower-case hexadecimal. Errors (kModel) name
// the file, the field, what was found and what was expected.
Result<ModelCard> ReadCard(const std::string& path);
Result<ModelCard> ParseCard(std::string_view text, const std::string& path);  // path is for messages
// JSON that ParseCard reads back as an equal card; ends in a newline.
std::string WriteCard(const ModelCard& card);

// Identities of the tensors of a bundle, to be compared with the card's. SHA-256 over, each length as 8 bytes
// little endian before its bytes: a label with a version; for each tensor by name its name, dtype name, rank
// and dimensions (8 bytes each), bytes; then tokenizer and config (keys sorted, no spaces), or prior and
// factors. The file's layout and metadata and the card's `about` do not enter.
Sha256 ModelIdOf(const ModelCard& card, const SafeTensors& tensors);
Sha256 PriorIdOf(const ModelCard& card, const SafeTensors& tensors);

}  // namespace vqc
