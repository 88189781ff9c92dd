// SPDX-License-Identifier: Apache-2.0
#include "models/card.h"

#include <algorithm>

#include "base/json.h"
#include "base/printable.h"
#include "base/within_memory.h"
#include "models/card_fields.h"

namespace vqc {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kPriorPrefix = "prior.", kEarlierPrefix = "earlier.";
constexpr std::string_view kEarlierPriors = "earlier_priors";  // the one field that may be missing
constexpr std::string_view kOptional[] = {kEarlierPriors};
constexpr size_t kMaxEarlierPriors = 64;
constexpr std::string_view kFields[] = {"about",    "card_version", "config", "factors",  "modality",
                                        "model_id", "name",         "prior",  "prior_id", "tokenizer"};

Result<std::vector<EarlierPrior>> EarlierPriors(const Json& json) {
  std::vector<EarlierPrior> priors;
  if (!json.contains(kEarlierPriors)) return priors;
  const Json& list = json.at(kEarlierPriors);
  const auto wrong = [&] {
    return CardField(json, kEarlierPriors.data())
        .Wrong("1 to 64 objects with prior and prior_id, and no more");
  };
  if (!list.is_array() || list.empty() || list.size() > kMaxEarlierPriors) return wrong();
  for (const Json& entry : list) {
    if (!entry.is_object() || entry.size() != 2 || !entry.contains("prior") || !entry.contains("prior_id")) {
      return wrong();
    }
    EarlierPrior& earlier = priors.emplace_back();
    VQC_ASSIGN(earlier.prior, CardField(entry, "prior").Name());
    VQC_ASSIGN(earlier.prior_id, CardField(entry, "prior_id").Id());
  }
  return priors;
}

// Takes the objects out of `json`, last of all: nothing that can fail has any of them to destroy.
Result<ModelCard> FromJson(Json& json) {
  if (json.contains("decodes")) {
    return Error{ErrorCode::kModel,
                 "is the card of a decoder for another model's tokens; decode with --decoder"};
  }
  VQC_TRY(CheckCardFields(json, kFields, kOptional));
  ModelCard card;
  card.card_version = kCardVersion;
  VQC_ASSIGN(card.name, CardField(json, "name").Name());
  VQC_ASSIGN(card.modality, CardField(json, "modality").GetModality());
  VQC_ASSIGN(card.tokenizer, CardField(json, "tokenizer").Name());
  VQC_TRY(CardField(json, "config").CheckObject());
  VQC_ASSIGN(card.prior, CardField(json, "prior").Name());
  VQC_ASSIGN(card.factors, CardField(json, "factors").Factors());
  VQC_ASSIGN(card.model_id, CardField(json, "model_id").Id());
  VQC_ASSIGN(card.prior_id, CardField(json, "prior_id").Id());
  VQC_TRY(CardField(json, "about").CheckObject());
  VQC_ASSIGN(card.earlier_priors, EarlierPriors(json));
  card.config = std::move(json["config"]);
  card.about = std::move(json["about"]);
  return card;
}

// In the order of their names (byte by byte).
void AddTensors(Sha256Hasher& hasher, const SafeTensors& tensors, bool of_prior) {
  for (const auto& [name, tensor] : tensors.Tensors()) {
    if (name.starts_with(kEarlierPrefix) || name.starts_with(kPriorPrefix) != of_prior) continue;
    AddTensor(hasher, name, tensor);
  }
}

constexpr std::string_view kModelLabel = "vqcodec model 1";

Sha256 FinishModel(Sha256Hasher& hasher, const ModelCard& card) {
  hasher.AddSized(card.tokenizer);
  hasher.AddSized(CanonicalJson(card.config.is_null() ? Json::object() : card.config));
  return hasher.Finish();
}

void AddPrior(Sha256Hasher& hasher, const std::string& prior, const ModelCard& card) {
  hasher.AddSized(prior);
  hasher.AddU64(card.factors.size());
  for (const auto& digits : card.factors) {
    hasher.AddU64(digits.size());
    for (const uint32_t digit : digits) hasher.AddU64(digit);
  }
}

}  // namespace

ModelKey ModelCard::Key() const { return KeyOf(prior_id); }

bool ModelCard::Knows(const ModelKey& key) const {
  return key == Key() ||
         std::any_of(earlier_priors.begin(), earlier_priors.end(),
                     [&](const EarlierPrior& earlier) { return key == KeyOf(earlier.prior_id); });
}

std::string EarlierTablesName(const Sha256& prior_id) {
  return std::string(kEarlierPrefix) + HexOf(prior_id).substr(0, 16) + ".tables";
}

ModelKey ModelCard::KeyOf(const Sha256& id) const {
  Sha256Hasher hasher;
  hasher.Add(model_id);
  hasher.Add(id);
  const Sha256 digest = hasher.Finish();
  ModelKey key;
  std::copy_n(digest.begin(), key.size(), key.begin());
  return key;
}

Result<ModelCard> ParseCard(std::string_view text, const std::string& path) {
  return WithinMemory([&]() -> Result<ModelCard> {
    VQC_ASSIGN(Json json, ParseCardObject(text, path));
    const EmptiedAtEnd emptied(json);
    auto card = FromJson(json);
    if (!card.ok()) return Error{ErrorCode::kModel, Printable(path) + ": " + card.error().message};
    return card;
  });
}

Result<ModelCard> ReadCard(const std::string& path) {
  return WithinMemory([&]() -> Result<ModelCard> {
    VQC_ASSIGN(const std::string text, ReadCardText(path));
    return ParseCard(text, path);
  });
}

std::string WriteCard(const ModelCard& card) {
  const auto object = [](const Json& json) { return json.is_null() ? Json::object() : json; };
  Json json = {{"card_version", card.card_version}, {"name", card.name},
               {"modality", NameOf(card.modality)}, {"tokenizer", card.tokenizer},
               {"config", object(card.config)},     {"prior", card.prior},
               {"factors", card.factors},           {"model_id", HexOf(card.model_id)},
               {"prior_id", HexOf(card.prior_id)},  {"about", object(card.about)}};
  for (const EarlierPrior& earlier : card.earlier_priors) {
    json[kEarlierPriors].push_back({{"prior", earlier.prior}, {"prior_id", HexOf(earlier.prior_id)}});
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

bool IsOfPriors(std::string_view tensor) {
  return tensor.starts_with(kPriorPrefix) || tensor.starts_with(kEarlierPrefix);
}

Sha256 ModelIdOf(const ModelCard& card, const SafeTensors& tensors) {
  Sha256Hasher hasher;
  hasher.AddSized(kModelLabel);
  AddTensors(hasher, tensors, false);
  return FinishModel(hasher, card);
}

Result<Sha256> ModelIdOf(const ModelCard& card, const TensorFile& file) {
  return WithinMemory([&]() -> Result<Sha256> {
    Sha256Hasher hasher;
    hasher.AddSized(kModelLabel);
    for (const auto& [name, place] : file.Tensors()) {
      if (!IsOfPriors(name)) VQC_TRY(AddTensor(hasher, name, file));
    }
    return FinishModel(hasher, card);
  });
}

Sha256 PriorIdOf(const ModelCard& card, const SafeTensors& tensors) {
  Sha256Hasher hasher;
  hasher.AddSized("vqcodec prior 1");
  AddTensors(hasher, tensors, true);
  AddPrior(hasher, card.prior, card);
  return hasher.Finish();
}

Sha256 EarlierPriorIdOf(const ModelCard& card, const EarlierPrior& earlier, const SafeTensors& tensors) {
  Sha256Hasher hasher;
  hasher.AddSized("vqcodec prior 1");
  const auto found = tensors.Tensors().find(EarlierTablesName(earlier.prior_id));
  if (found != tensors.Tensors().end()) AddTensor(hasher, "prior.tables", found->second);
  AddPrior(hasher, earlier.prior, card);
  return hasher.Finish();
}

}  // namespace vqc
