// SPDX-License-Identifier: Apache-2.0
// ModelCard: what a bundle's card.json says. A bundle is a folder with card.json and model.safetensors.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/safetensors.h"
#include "base/sha256.h"
#include "base/tensor_file.h"
#include "codec/container/stream.h"

namespace vqc {

// A prior that the model had before. Its tables stay in the bundle (EarlierTablesName), so that streams which
// were made with it decode.
struct EarlierPrior {
  std::string prior;  // row of the prior table
  Sha256 prior_id{};
};

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
  std::vector<EarlierPrior> earlier_priors;    // newest first; not in the file when there is none
  nlohmann::json about;                        // license, data, losses, steps, figures, command: for people

  ModelKey Key() const;                    // of streams that are made now
  ModelKey KeyOf(const Sha256& id) const;  // of streams that were made with that prior
  bool Knows(const ModelKey& key) const;   // whether it is one of these, of any of the priors
};

std::string_view NameOf(Modality modality);  // "image"

// Name of the tensor of an earlier prior's tables: "earlier.", the first 16 digits of its id, ".tables".
std::string EarlierTablesName(const Sha256& prior_id);

// Strict: every field above and no other, no duplicate, ids in lower-case hexadecimal. Errors (kModel) name
// the file, the field, what was found and what was expected.
Result<ModelCard> ReadCard(const std::string& path);
Result<ModelCard> ParseCard(std::string_view text, const std::string& path);  // path is for messages
// JSON that ParseCard reads back as an equal card; ends in a newline.
std::string WriteCard(const ModelCard& card);

// Whether a tensor of a bundle belongs to its prior or an earlier one, not to the model.
bool IsOfPriors(std::string_view tensor);

// Identities of the tensors of a bundle, to be compared with the card's. SHA-256 over, each length as 8 bytes
// little endian before its bytes: a label with a version; for each tensor by name its name, dtype name, rank
// and dimensions (8 bytes each), bytes; then tokenizer and config (keys sorted, no spaces), or prior and
// factors. The file's layout and metadata, earlier priors and the card's `about` do not enter. An earlier
// prior's id is what it was: of its tables as "prior.tables".
Sha256 ModelIdOf(const ModelCard& card, const SafeTensors& tensors);
Result<Sha256> ModelIdOf(const ModelCard& card, const TensorFile& file);  // of which it reads each once
Sha256 PriorIdOf(const ModelCard& card, const SafeTensors& tensors);
Sha256 EarlierPriorIdOf(const ModelCard& card, const EarlierPrior& earlier, const SafeTensors& tensors);

}  // namespace vqc
