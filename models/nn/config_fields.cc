// SPDX-License-Identifier: Apache-2.0
#include "models/nn/config_fields.h"

#include <algorithm>
#include <limits>

#include "base/printable.h"

namespace vqc::nn {
namespace {

using nlohmann::json;

constexpr size_t kMostInList = 32;

std::string Text(const json& value) {
  return Printable(value.dump(-1, ' ', false, json::error_handler_t::replace), 64);
}

std::string Range(int low, int high) {
  return "a whole number from " + std::to_string(low) + " to " + std::to_string(high);
}

bool Fits(const json& value, int low, int high) {
  return value.is_number_integer() && value >= low && value <= high;
}

}  // namespace

ConfigFields::ConfigFields(const json& config) : config_(config) {
  if (!config.is_object()) Refuse("the network's config is " + Text(config) + ", not an object");
}

const json* ConfigFields::Find(const char* field) const {
  if (!config_.is_object()) return nullptr;
  const auto found = config_.find(field);
  return found == config_.end() || found->is_null() ? nullptr : &*found;
}

void ConfigFields::Refuse(const std::string& message) {
  if (status_.ok()) status_ = Error{ErrorCode::kModel, message};
}

void ConfigFields::RefuseField(const char* field, const std::string& allowed) {
  Refuse(std::string("field \"") + field + "\" of the config is " + Text(*Find(field)) + "; " + allowed);
}

int ConfigFields::Whole(const char* field, int low, int high, int otherwise) {
  const json* found = Find(field);
  int value = otherwise;
  if (found && Fits(*found, low, high)) {
    value = found->get<int>();
  } else if (found) {
    RefuseField(field, "it must be " + Range(low, high));
  }
  read_[field] = value;
  return value;
}

bool ConfigFields::Flag(const char* field, bool otherwise) {
  const json* found = Find(field);
  if (found && !found->is_boolean()) RefuseField(field, "it must be true or false");
  const bool value = found && found->is_boolean() ? found->get<bool>() : otherwise;
  read_[field] = value;
  return value;
}

double ConfigFields::Number(const char* field, double low, double high, double otherwise) {
  const json* found = Find(field);
  double value = otherwise;
  if (found && found->is_number() && *found >= low && *found <= high) {
    value = found->get<double>();
  } else if (found) {
    RefuseField(field, "it must be a number from " + json(low).dump() + " to " + json(high).dump());
  }
  read_[field] = value;
  return value;
}

std::vector<int> ConfigFields::List(const char* field, int low, int high, std::vector<int> otherwise) {
  const json* found = Find(field);
  if (found) {
    const bool sound =
        found->is_array() && !found->empty() && found->size() <= kMostInList &&
        std::all_of(found->begin(), found->end(), [&](const json& v) { return Fits(v, low, high); });
    if (sound) {
      otherwise = found->get<std::vector<int>>();
    } else {
      RefuseField(field, "it must be a list of 1 to " + std::to_string(kMostInList) + " whole numbers from " +
                             std::to_string(low) + " to " + std::to_string(high));
    }
  }
  read_[field] = otherwise;
  return otherwise;
}

std::string ConfigFields::Choice(const char* field, std::initializer_list<std::string_view> allowed) {
  std::string value(*allowed.begin());
  if (const json* found = Find(field)) {
    const auto given = found->is_string() ? found->get<std::string>() : "";
    if (std::find(allowed.begin(), allowed.end(), given) != allowed.end()) {
      value = given;
    } else {
      std::string text;
      for (const std::string_view choice : allowed) text += (text.empty() ? "" : ", ") + std::string(choice);
      RefuseField(field, "supported are: " + text);
    }
  }
  read_[field] = value;
  return value;
}

void ConfigFields::Only(const char* field, const json& value) {
  const json* found = Find(field);
  if (found && *found != value) RefuseField(field, "only " + value.dump() + " is supported");
}

}  // namespace vqc::nn
