// SPDX-License-Identifier: Apache-2.0
#include "quantizers/quantizer_config.h"

#include <algorithm>

namespace vqc {
namespace {

constexpr size_t kShown = 60;  // characters of a value in a message

std::string Shown(const nlohmann::json& value) {
  std::string text = value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  if (text.size() > kShown) text = text.substr(0, kShown) + "...";
  return text;
}

std::string Short(double value) {
  const std::string text = nlohmann::json(value).dump();
  return text.ends_with(".0") ? text.substr(0, text.size() - 2) : text;
}

}  // namespace

ConfigReader::ConfigReader(const nlohmann::json& config) : config_(config), type_("quantizer") {
  if (const auto* type = Find("type"); type && type->is_string()) type_ = type->get<std::string>();
  if (!config.is_object()) Refuse("the config is " + Shown(config) + "; it must be an object");
}

void ConfigReader::Refuse(const std::string& message) {
  if (status_.ok()) status_ = Error{ErrorCode::kModel, type_ + ": " + message};
}

void ConfigReader::RefuseField(const char* field, const nlohmann::json* given, const std::string& allowed) {
  Refuse("\"" + std::string(field) + "\" is " + (given ? Shown(*given) : "missing") + "; it must be " +
         allowed);
}

const nlohmann::json* ConfigReader::Find(const char* field) {
  known_.insert(field);
  if (!config_.is_object()) return nullptr;
  const auto found = config_.find(field);
  return found == config_.end() ? nullptr : &*found;
}

int64_t ConfigReader::Whole(const char* field, int64_t low, int64_t high, std::optional<int64_t> otherwise) {
  const auto* found = Find(field);
  if (!found && otherwise) return *otherwise;
  if (!found || !found->is_number_integer() || *found < low || *found > high) {
    RefuseField(field, found, "a whole number from " + std::to_string(low) + " to " + std::to_string(high));
    return low;
  }
  return found->get<int64_t>();
}

double ConfigReader::Number(const char* field, double low, double high, double otherwise) {
  const auto* found = Find(field);
  if (!found) return otherwise;
  if (!found->is_number() || !(found->get<double>() >= low && found->get<double>() <= high)) {
    RefuseField(field, found, "a number from " + Short(low) + " to " + Short(high));
    return otherwise;
  }
  return found->get<double>();
}

bool ConfigReader::Flag(const char* field, bool otherwise) {
  const auto* found = Find(field);
  if (found && !found->is_boolean()) RefuseField(field, found, "true or false");
  return found && found->is_boolean() ? found->get<bool>() : otherwise;
}

std::string ConfigReader::Choice(const char* field, std::initializer_list<std::string_view> allowed) {
  const auto* found = Find(field);
  if (!found) return std::string(*allowed.begin());
  if (found->is_string() &&
      std::find(allowed.begin(), allowed.end(), found->get<std::string>()) != allowed.end()) {
    return found->get<std::string>();
  }
  std::string list;
  for (const auto& word : allowed) list += (list.empty() ? "\"" : ", \"") + std::string(word) + "\"";
  RefuseField(field, found, "one of " + list);
  return std::string(*allowed.begin());
}

int64_t ConfigReader::Entries() { return Whole("entries", 2, kMaxEntries); }

int64_t ConfigReader::Dim() {
  const int64_t dim = Whole("dim", 1, kMaxLatentDim);
  const auto* entries = Find("entries");
  if (ok() && entries && entries->is_number_integer() && entries->get<int64_t>() * dim > kMaxCodebookCells) {
    Refuse("\"entries\" times \"dim\" is " + std::to_string(entries->get<int64_t>() * dim) +
           "; it must be at most " + std::to_string(kMaxCodebookCells));
  }
  return dim;
}

Status ConfigReader::Done() {
  if (config_.is_object()) {
    for (const auto& [key, value] : config_.items()) {
      if (known_.contains(key)) continue;
      std::string list;
      for (const auto& field : known_) list += (list.empty() ? "" : ", ") + field;
      Refuse("\"" + key.substr(0, kShown) + "\" is not one of its fields, which are " + list);
    }
  }
  return status_;
}

}  // namespace vqc
