// SPDX-License-Identifier: Apache-2.0
// Reading the JSON of cards: what the cards of models and of decoders have in common.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/safetensors.h"
#include "base/tensor_file.h"
#include "base/sha256.h"
#include "codec/container/stream.h"

namespace vqc {

inline constexpr int kCardVersion = 1;
inline constexpr uint64_t kMaxCardBytes = 1u << 20;

// Error kModel: the object is not of this version, lacks one of `fields`, or has one that is neither in
// `fields` nor in `optional`.
Status CheckCardFields(const nlohmann::json& card, std::span<const std::string_view> fields,
                       std::span<const std::string_view> optional = {});

// The text of a card, and the object in it. Errors (kModel) name the file.
Result<std::string> ReadCardText(const std::string& path);
Result<nlohmann::json> ParseCardObject(std::string_view text, const std::string& path);

// One field of a card. Every getter says what was expected in its error.
// REQUIRES: the card has the field and lives as long as this
class CardField {
 public:
  CardField(const nlohmann::json& card, const char* name) : json_(card.at(name)), name_(name) {}

  Error Wrong(const std::string& expected) const;
  // 1 to 64 of a-z 0-9 . _ - and a letter or digit first: a name that is safe as a folder and in a message.
  Result<std::string> Name() const;
  Status CheckObject() const;
  Result<Sha256> Id() const;
  Result<Modality> GetModality() const;
  // 1 to 64 levels of 1 to 64 digits, each of 2 to 2^20 values.
  Result<std::vector<std::vector<uint32_t>>> Factors() const;

 private:
  const nlohmann::json& json_;
  const char* name_;
};

// Into the identity of a bundle: name, dtype, rank, dimensions and bytes (models/card.h says how).
void AddTensor(Sha256Hasher& hasher, std::string_view name, const TensorView& tensor);
Status AddTensor(Sha256Hasher& hasher, std::string_view name, const TensorFile& file);

// Keys sorted, no white space, floating-point numbers in their shortest form.
std::string CanonicalJson(const nlohmann::json& json);

}  // namespace vqc
