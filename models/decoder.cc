// SPDX-License-Identifier: Apache-2.0
#include "models/decoder.h"

#include <algorithm>
#include <filesystem>

#include "base/folder.h"
#include "base/json.h"
#include "base/printable.h"
#include "base/within_memory.h"
#include "models/card_fields.h"
#include "models/write_bundle.h"

namespace vqc {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

constexpr std::string_view kFields[] = {"about", "card_version", "decoder_id", "decodes", "name", "network"};

// As that of a model's card (models/card.cc).
Result<DecoderCard> FromJson(Json& json) {
  VQC_TRY(CheckCardFields(json, kFields));
  DecoderCard card;
  VQC_ASSIGN(card.name, CardField(json, "name").Name());
  if (card.name == kOwnDecoder)
    return CardField(json, "name").Wrong("another name: own is the model's decoder");
  VQC_ASSIGN(card.decodes, CardField(json, "decodes").Id());
  VQC_TRY(CardField(json, "network").CheckObject());
  VQC_ASSIGN(card.decoder_id, CardField(json, "decoder_id").Id());
  VQC_TRY(CardField(json, "about").CheckObject());
  card.network = std::move(json["network"]);
  card.about = std::move(json["about"]);
  return card;
}

std::string FolderOf(const ModelEntry& model, std::string_view name) {
  return model.folder + "/" + std::string(kDecodersFolder) + "/" + std::string(name);
}

std::string CardPath(const std::string& folder) { return folder + "/" + std::string(kCardFile); }

std::string Known(const ModelEntry& model) {
  std::string names;
  for (const DecoderEntry& entry : ListDecoders(model))
    names += (names.empty() ? "" : ", ") + entry.card.name;
  if (names.empty()) return model.card.name + " comes with no other decoder than its own";
  return model.card.name + " comes with " + names;
}

}  // namespace

Result<DecoderCard> ParseDecoderCard(std::string_view text, const std::string& path) {
  return WithinMemory([&]() -> Result<DecoderCard> {
    VQC_ASSIGN(Json json, ParseCardObject(text, path));
    const EmptiedAtEnd emptied(json);
    auto card = FromJson(json);
    if (!card.ok()) return Error{ErrorCode::kModel, Printable(path) + ": " + card.error().message};
    return card;
  });
}

Result<DecoderCard> ReadDecoderCard(const std::string& path) {
  return WithinMemory([&]() -> Result<DecoderCard> {
    VQC_ASSIGN(const std::string text, ReadCardText(path));
    return ParseDecoderCard(text, path);
  });
}

std::string WriteDecoderCard(const DecoderCard& card) {
  const auto object = [](const Json& json) { return json.is_null() ? Json::object() : json; };
  const Json json = {{"card_version", kCardVersion},         {"name", card.name},
                     {"decodes", HexOf(card.decodes)},       {"network", object(card.network)},
                     {"decoder_id", HexOf(card.decoder_id)}, {"about", object(card.about)}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Sha256 DecoderIdOf(const DecoderCard& card, const SafeTensors& tensors) {
  Sha256Hasher hasher;
  hasher.AddSized("vqcodec decoder 1");
  for (const auto& [name, tensor] : tensors.Tensors()) AddTensor(hasher, name, tensor);
  hasher.AddSized(CanonicalJson(card.network.is_null() ? Json::object() : card.network));
  hasher.Add(card.decodes);
  return hasher.Finish();
}

std::vector<DecoderEntry> ListDecoders(const ModelEntry& model) {
  std::vector<DecoderEntry> decoders;
  const auto names = NamesInFolder(FolderOf(model, ""));
  if (!names.ok()) return decoders;
  for (const std::string& name : *names) {
    std::string folder = FolderOf(model, name);
    auto card = ReadDecoderCard(CardPath(folder));
    if (card.ok() && card->decodes == model.card.model_id)
      decoders.push_back({std::move(folder), std::move(*card)});
  }
  std::sort(decoders.begin(), decoders.end(),
            [](const DecoderEntry& a, const DecoderEntry& b) { return a.card.name < b.card.name; });
  return decoders;
}

Result<DecoderEntry> FindDecoder(const ModelEntry& model, const std::string& name_or_folder) {
  const bool path = name_or_folder.find('/') != std::string::npos;
  if (!path) {
    for (DecoderEntry& entry : ListDecoders(model)) {
      if (entry.card.name == name_or_folder) return std::move(entry);
    }
  }
  const bool plain = !name_or_folder.empty() && name_or_folder.front() != '.';
  std::string folder = path ? name_or_folder : FolderOf(model, name_or_folder);
  while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
  std::error_code ignored;
  if ((!path && !plain) || !fs::exists(CardPath(folder), ignored)) {
    return Error{ErrorCode::kModel,
                 (path ? Printable(name_or_folder) + ": is no decoder's folder: it has no card.json"
                       : "there is no decoder " + (plain ? Printable(name_or_folder) : "of such a name") +
                             " for the tokens of " + model.card.name) +
                     "; " + Known(model)};
  }
  VQC_ASSIGN(DecoderCard card, ReadDecoderCard(CardPath(folder)));
  if (card.decodes != model.card.model_id) {
    return Error{ErrorCode::kModel, Printable(folder) + ": decodes the tokens of the model with the id " +
                                        HexOf(card.decodes).substr(0, 16) + ", " + model.card.name +
                                        " has the id " + HexOf(model.card.model_id).substr(0, 16) +
                                        "; take a decoder that was trained for this model"};
  }
  return DecoderEntry{std::move(folder), std::move(card)};
}

Result<SafeTensors> OpenDecoder(const DecoderEntry& decoder, const Limits& limits) {
  const std::string path = decoder.folder + "/" + std::string(kWeightsFile);
  VQC_ASSIGN(SafeTensors tensors, SafeTensors::Open(path, limits));
  for (const auto& [name, tensor] : tensors.Tensors()) {
    if (name.starts_with(kDecoderPrefix)) continue;
    return Error{ErrorCode::kModel, Printable(path) + ": holds the tensor " + Printable(name) +
                                        "; a decoder's tensors have names that begin with decoder."};
  }
  if (DecoderIdOf(decoder.card, tensors) != decoder.card.decoder_id) {
    return Error{ErrorCode::kModel, Printable(path) +
                                        ": the weights are not those of the card; the decoder is "
                                        "damaged, fetch or train it anew"};
  }
  return tensors;
}

Status WriteDecoder(const std::string& folder, DecoderCard card,
                    const std::map<std::string, TensorView>& views) {
  VQC_ASSIGN(const auto bytes, WriteSafeTensors(views, {{"format", "pt"}}));
  VQC_ASSIGN(const SafeTensors tensors, SafeTensors::Parse(bytes, folder));
  card.decoder_id = DecoderIdOf(card, tensors);
  return WriteModelFolder(folder, bytes, WriteDecoderCard(card));
}

}  // namespace vqc
