// SPDX-License-Identifier: Apache-2.0
#include "models/card.h"

#include <algorithm>
#include <iterator>
#include <limits>

#include "base/file.h"
#include "base/json.h"
#include "base/printable.h"

namespace vqc {
namespace {

using Json = nlohmann::json;

constexpr int kCardVersion = 1;
constexpr uint64_t kMaxCardBytes = 1u << 20;
constexpr std::string_view kPriorPrefix = "prior.", kEarlierPrefix = "earlier.";
constexpr std::string_view kEarlierPriors = "earlier_priors";  // the one field that may be missing
constexpr size_t kMaxEarlierPriors = 64;
constexpr std::string_view kFields[] = {"about",    "card_version", "config", "factors",  "modality",
                                        "model_id", "name",         "prior",  "prior_id", "tokenizer"};

struct ModalityRow {
  Modality modality;
  std::string_view name;
};
constexpr ModalityRow kModalities[] = {
    {Modality::kImage, "image"}, {Modality::kAudio, "audio"}, {Modality::kAction, "action"}};

// One field of a card. Every getter says what was expected in its error.
class Field {
 public:
  Field(const Json& card, const char* name) : json_(card.at(name)), name_(name) {}

  Error Wrong(const std::string& expected) const {
    return Error{ErrorCode::kModel,
                 std::string("field ") + name_ + " is " +
                     Printable(json_.dump(-1, ' ', false, Json::error_handler_t::replace), 64) +
                     ", expected is " + expected};
  }

  // 1 to 64 of a-z 0-9 . _ - and a letter or digit first: a name that is safe as a folder and in a message.
  Result<std::string> Name() const {
    const char* kRule = "a name of 1 to 64 characters of a-z, 0-9, '.', '_' and '-', a letter or digit first";
    if (!json_.is_string()) return Wrong(kRule);
    const auto& text = json_.get_ref<const std::string&>();
    const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    const bool sound = !text.empty() && text.size() <= 64 && plain(text[0]) &&
                       std::all_of(text.begin(), text.end(),
                                   [&](char c) { return plain(c) || c == '.' || c == '_' || c == '-'; });
    if (!sound) return Wrong(kRule);
    return text;
  }

  Result<Json> Object() const {
    if (!json_.is_object()) return Wrong("an object");
    return json_;
  }

  Result<Sha256> Id() const {
    const auto id = json_.is_string() ? ParseSha256(json_.get_ref<const std::string&>()) : std::nullopt;
    if (!id) return Wrong("64 lower-case hexadecimal digits");
    return *id;
  }

  Result<Modality> GetModality() const {
    for (const ModalityRow& row : kModalities) {
      if (json_ == row.name) return row.modality;
    }
    return Wrong("image, audio or action");
  }

  // 1 to 64 levels of 1 to 64 digits, each of 2 to 2^20 values.
  Result<std::vector<std::vector<uint32_t>>> Factors() const {
    const char* kRule = "1 to 64 lists of 1 to 64 whole numbers from 2 to 1048576";
    const auto sound_size = [](const Json& list) {
      return list.is_array() && !list.empty() && list.size() <= 64;
    };
    if (!sound_size(json_)) return Wrong(kRule);
    std::vector<std::vector<uint32_t>> factors;
    for (const Json& level : json_) {
      if (!sound_size(level)) return Wrong(kRule);
      auto& digits = factors.emplace_back();
      for (const Json& digit : level) {
        if (!digit.is_number_unsigned()) return Wrong(kRule);
        const auto value = digit.get<uint64_t>();
        if (value < 2 || value > 1u << 20) return Wrong(kRule);
        digits.push_back(static_cast<uint32_t>(value));
      }
    }
    return factors;
  }

 private:
  const Json& json_;
  const char* name_;
};

// The version comes first: a newer card may have other fields.
Status CheckFields(const Json& json) {
  const auto version = json.find("card_version");
  if (version == json.end()) return Error{ErrorCode::kModel, "has no field card_version"};
  if (*version != kCardVersion || !version->is_number_unsigned()) {
    return Error{ErrorCode::kModel,
                 "has card_version " +
                     Printable(version->dump(-1, ' ', true, Json::error_handler_t::replace), 32) +
                     ", this program reads " + std::to_string(kCardVersion) +
                     "; update vqcodec or get a model made for it"};
  }
  for (const auto name : kFields) {
    if (!json.contains(name)) return Error{ErrorCode::kModel, "has no field " + std::string(name)};
  }
  for (const auto& [name, value] : json.items()) {
    if (name != kEarlierPriors &&
        std::find(std::begin(kFields), std::end(kFields), name) == std::end(kFields)) {
      return Error{ErrorCode::kModel,
                   "has a field that card_version 1 does not know: " + Printable(name, 64)};
    }
  }
  return {};
}

Result<std::vector<EarlierPrior>> EarlierPriors(const Json& json) {
  std::vector<EarlierPrior> priors;
  if (!json.contains(kEarlierPriors)) return priors;
  const Json& list = json.at(kEarlierPriors);
  const auto wrong = [&] {
    return Field(json, kEarlierPriors.data()).Wrong("1 to 64 objects with prior and prior_id, and no more");
  };
  if (!list.is_array() || list.empty() || list.size() > kMaxEarlierPriors) return wrong();
  for (const Json& entry : list) {
    if (!entry.is_object() || entry.size() != 2 || !entry.contains("prior") || !entry.contains("prior_id")) {
      return wrong();
    }
    EarlierPrior& earlier = priors.emplace_back();
    VQC_ASSIGN(earlier.prior, Field(entry, "prior").Name());
    VQC_ASSIGN(earlier.prior_id, Field(entry, "prior_id").Id());
  }
  return priors;
}

Result<ModelCard> FromJson(const Json& json) {
  VQC_TRY(CheckFields(json));
  ModelCard card;
  card.card_version = kCardVersion;
  VQC_ASSIGN(card.name, Field(json, "name").Name());
  VQC_ASSIGN(card.modality, Field(json, "modality").GetModality());
  VQC_ASSIGN(card.tokenizer, Field(json, "tokenizer").Name());
  VQC_ASSIGN(card.config, Field(json, "config").Object());
  VQC_ASSIGN(card.prior, Field(json, "prior").Name());
  VQC_ASSIGN(card.factors, Field(json, "factors").Factors());
  VQC_ASSIGN(card.model_id, Field(json, "model_id").Id());
  VQC_ASSIGN(card.prior_id, Field(json, "prior_id").Id());
  VQC_ASSIGN(card.about, Field(json, "about").Object());
  VQC_ASSIGN(card.earlier_priors, EarlierPriors(json));
  return card;
}

// Keys sorted, no white space, floating-point numbers in their shortest form.
std::string Canonical(const Json& json) { return json.dump(-1, ' ', true, Json::error_handler_t::replace); }

// Name, dtype, rank, dimensions and bytes.
void AddTensor(Sha256Hasher& hasher, std::string_view name, const TensorView& tensor) {
  hasher.AddSized(name);
  hasher.AddSized(NameOf(tensor.dtype));
  hasher.AddU64(tensor.shape.size());
  for (const int64_t dim : tensor.shape) hasher.AddU64(static_cast<uint64_t>(dim));
  hasher.AddSized(tensor.bytes);
}

// In the order of their names (byte by byte).
void AddTensors(Sha256Hasher& hasher, const SafeTensors& tensors, bool of_prior) {
  for (const auto& [name, tensor] : tensors.Tensors()) {
    if (name.starts_with(kEarlierPrefix) || name.starts_with(kPriorPrefix) != of_prior) continue;
    AddTensor(hasher, name, tensor);
  }
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

std::string_view NameOf(Modality modality) {
  for (const ModalityRow& row : kModalities) {
    if (row.modality == modality) return row.name;
  }
  return "?";
}

Result<ModelCard> ParseCard(std::string_view text, const std::string& path) {
  const auto in_file = [&](const Error& error) {
    return Error{ErrorCode::kModel, Printable(path) + ": " + error.message};
  };
  const auto json = ParseJsonObject(text, JsonLimits{.max_depth = 16, .max_values = 1u << 18});
  if (!json.ok()) return in_file(Error{ErrorCode::kModel, json.error().message + "; get the model anew"});
  auto card = FromJson(*json);
  if (!card.ok()) return in_file(card.error());
  return card;
}

Result<ModelCard> ReadCard(const std::string& path) {
  const auto bytes = ReadFile(path, kMaxCardBytes);
  if (!bytes.ok()) return Error{ErrorCode::kModel, bytes.error().message};
  return ParseCard({reinterpret_cast<const char*>(bytes->data()), bytes->size()}, path);
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

Sha256 ModelIdOf(const ModelCard& card, const SafeTensors& tensors) {
  Sha256Hasher hasher;
  hasher.AddSized("vqcodec model 1");
  AddTensors(hasher, tensors, false);
  hasher.AddSized(card.tokenizer);
  hasher.AddSized(Canonical(card.config.is_null() ? Json::object() : card.config));
  return hasher.Finish();
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
