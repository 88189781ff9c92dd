// SPDX-License-Identifier: Apache-2.0
// JSON from outside, read strictly.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vqc {

struct JsonLimits {
  size_t max_depth = 8;          // containers within containers; 1 is a flat object
  size_t max_values = 1u << 20;  // of all kinds, containers counted
  size_t max_key_bytes = 1024;
};

// An object and nothing else (white space may follow): RFC 8259 without duplicate keys, in UTF-8. Nothing is
// recursive, and memory is bounded by the limits and the size of `text`. Errors are kInput; their message
// says what and where, without a name.
Result<nlohmann::json> ParseJsonObject(std::string_view text, const JsonLimits& limits = {});

// Empties a document at the end of its scope, from the leaves up. A nlohmann::json that holds something takes
// memory to be destroyed, and ends the program where there is none; an empty one does not.
template <class Json>
class EmptiedAtEnd {
 public:
  explicit EmptiedAtEnd(Json& document) : document_(document) {}
  EmptiedAtEnd(const EmptiedAtEnd&) = delete;
  EmptiedAtEnd& operator=(const EmptiedAtEnd&) = delete;
  // Recursive as deep as the document, which JsonLimits bounds.
  ~EmptiedAtEnd() { Empty(document_); }

 private:
  static void Empty(Json& value) noexcept {
    if (auto* object = value.template get_ptr<typename Json::object_t*>()) {
      for (auto& [key, member] : *object) Empty(member);
      object->clear();
    } else if (auto* array = value.template get_ptr<typename Json::array_t*>()) {
      for (Json& element : *array) Empty(element);
      array->clear();
    }
  }

  Json& document_;
};

// The same document with its keys in the order of `json`. Where memory runs out, nothing is left.
nlohmann::ordered_json OrderedOf(const nlohmann::json& json);

}  // namespace vqc
