// SPDX-License-Identifier: Apache-2.0
#include "models/card_fields.h"

#include <algorithm>

#include "base/file.h"
#include "base/json.h"
#include "base/printable.h"
#include "models/card.h"

namespace vqc {
namespace {

using Json = nlohmann::json;

struct ModalityRow {
  Modality modality;
  std::string_view name;
};
constexpr ModalityRow kModalities[] = {
    {Modality::kImage, "image"}, {Modality::kAudio, "audio"}, {Modality::kAction, "action"}};

void AddHead(Sha256Hasher& hasher, std::string_view name, DType dtype, const std::vector<int64_t>& shape) {
  hasher.AddSized(name);
  hasher.AddSized(NameOf(dtype));
  hasher.AddU64(shape.size());
  for (const int64_t dim : shape) hasher.AddU64(static_cast<uint64_t>(dim));
}

bool Has(std::span<const std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

// The version comes first: a newer card may have other fields.
Status CheckCardFields(const Json& card, std::span<const std::string_view> fields,
                       std::span<const std::string_view> optional) {
  const auto version = card.find("card_version");
  if (version == card.end()) return Error{ErrorCode::kModel, "has no field card_version"};
  if (*version != kCardVersion || !version->is_number_unsigned()) {
    return Error{ErrorCode::kModel,
                 "has card_version " +
                     Printable(version->dump(-1, ' ', true, Json::error_handler_t::replace), 32) +
                     ", this program reads " + std::to_string(kCardVersion) +
                     "; update vqcodec or get a model made for it"};
  }
  for (const auto name : fields) {
    if (!card.contains(name)) return Error{ErrorCode::kModel, "has no field " + std::string(name)};
  }
  for (const auto& [name, value] : card.items()) {
    if (!Has(fields, name) && !Has(optional, name)) {
      return Error{ErrorCode::kModel,
                   "has a field that card_version 1 does not know: " + Printable(name, 64)};
    }
  }
  return {};
}

Result<std::string> ReadCardText(const std::string& path) {
  const auto bytes = ReadFile(path, kMaxCardBytes);
  if (!bytes.ok() && bytes.error().code == ErrorCode::kResource) return bytes.error();
  if (!bytes.ok()) return Error{ErrorCode::kModel, bytes.error().message};
  return std::string(bytes->begin(), bytes->end());
}

Result<Json> ParseCardObject(std::string_view text, const std::string& path) {
  auto json = ParseJsonObject(text, JsonLimits{.max_depth = 16, .max_values = 1u << 18});
  if (json.ok()) return json;
  return Error{ErrorCode::kModel, Printable(path) + ": " + json.error().message + "; get the model anew"};
}

Error CardField::Wrong(const std::string& expected) const {
  return Error{ErrorCode::kModel,
               std::string("field ") + name_ + " is " +
                   Printable(json_.dump(-1, ' ', false, Json::error_handler_t::replace), 64) +
                   ", expected is " + expected};
}

Result<std::string> CardField::Name() const {
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

Status CardField::CheckObject() const {
  if (!json_.is_object()) return Wrong("an object");
  return {};
}

Result<Sha256> CardField::Id() const {
  const auto id = json_.is_string() ? ParseSha256(json_.get_ref<const std::string&>()) : std::nullopt;
  if (!id) return Wrong("64 lower-case hexadecimal digits");
  return *id;
}

Result<Modality> CardField::GetModality() const {
  for (const ModalityRow& row : kModalities) {
    if (json_ == row.name) return row.modality;
  }
  return Wrong("image, audio or action");
}

Result<std::vector<std::vector<uint32_t>>> CardField::Factors() const {
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

std::string_view NameOf(Modality modality) {
  for (const ModalityRow& row : kModalities) {
    if (row.modality == modality) return row.name;
  }
  return "?";
}

void AddTensor(Sha256Hasher& hasher, std::string_view name, const TensorView& tensor) {
  AddHead(hasher, name, tensor.dtype, tensor.shape);
  hasher.AddSized(tensor.bytes);
}

Status AddTensor(Sha256Hasher& hasher, std::string_view name, const TensorFile& file) {
  constexpr uint64_t kAtOnce = 1u << 18;  // little enough for a cache
  VQC_ASSIGN(const StoredTensor* place, file.Get(name));
  AddHead(hasher, name, place->dtype, place->shape);
  hasher.AddU64(place->size);
  std::vector<uint8_t> piece(static_cast<size_t>(std::min(place->size, kAtOnce)));
  for (uint64_t at = 0; at < place->size; at += piece.size()) {
    const auto part = std::span(piece).first(static_cast<size_t>(std::min(place->size - at, kAtOnce)));
    VQC_TRY(file.Read(*place, at, part));
    hasher.Add(part);
  }
  return {};
}

std::string CanonicalJson(const Json& json) {
  return json.dump(-1, ' ', true, Json::error_handler_t::replace);
}

}  // namespace vqc
