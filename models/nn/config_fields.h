// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace vqc::nn {

// Reads the fields of a network's config, of a card or as other programs write it. The first thing that does
// not fit is kept and returned by Done(), so that all fields are read and then asked for once.
class ConfigFields {
 public:
  // `config` lives as long as the object.
  explicit ConfigFields(const nlohmann::json& config);

  // Of a missing field, or one that is null: `otherwise`.
  int Whole(const char* field, int low, int high, int otherwise);
  bool Flag(const char* field, bool otherwise);
  double Number(const char* field, double low, double high, double otherwise);
  std::vector<int> List(const char* field, int low, int high, std::vector<int> otherwise);
  // One of `allowed`, whose first is what a missing field means.
  std::string Choice(const char* field, std::initializer_list<std::string_view> allowed);
  // The field has this value, or is missing: whatever else is not supported.
  void Only(const char* field, const nlohmann::json& value);
  void Refuse(const std::string& message);

  // Everything that was read, defaults filled in: a config that gives the same.
  const nlohmann::json& Read() const { return read_; }
  // kModel: names the field, what was found and what fits.
  Status Done() const { return status_; }

 private:
  const nlohmann::json* Find(const char* field) const;
  void RefuseField(const char* field, const std::string& allowed);

  const nlohmann::json& config_;
  nlohmann::json read_ = nlohmann::json::object();
  Status status_;
};

}  // namespace vqc::nn
