// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <utility>
#include <vector>

#include "base/printable.h"

namespace vqc {
namespace {

using Json = nlohmann::json;

// Builds the document as the parser walks it. Returning false ends the parse.
class Builder {
 public:
  explicit Builder(const JsonLimits& limits) : limits_(limits) {}

  bool null() { return Add(nullptr); }
  bool boolean(bool value) { return Add(value); }
  bool number_integer(Json::number_integer_t value) { return Add(value); }
  bool number_unsigned(Json::number_unsigned_t value) { return Add(value); }
  bool number_float(Json::number_float_t value, const std::string&) { return Add(value); }
  bool string(std::string& value) { return Add(std::move(value)); }
  bool binary(Json::binary_t&) { return Fail("binary values are not JSON"); }
  bool start_object(size_t) { return Open(Json::object()); }
  bool start_array(size_t) { return Open(Json::array()); }
  bool end_object() { return Close(); }
  bool end_array() { return Close(); }

  bool key(std::string& key) {
    if (key.size() > limits_.max_key_bytes) {
      return Fail("the key " + Printable(key, 32) + " has " + std::to_string(key.size()) +
                  " bytes, the limit is " + std::to_string(limits_.max_key_bytes));
    }
    const auto [place, added] = open_.back()->get_ref<Json::object_t&>().emplace(key, nullptr);
    if (!added) return Fail("the key " + Printable(key) + " stands there twice");
    slot_ = &place->second;
    return true;
  }

  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception& error) {
    // Numbers too large for a double come this way too; the library's text quotes the input.
    return Fail("not JSON at byte " + std::to_string(position) + " (" + Printable(error.what(), 160) + ")");
  }

  Json& root() { return root_; }
  const std::string& failure() const { return failure_; }

 private:
  bool Fail(std::string why) {
    failure_ = std::move(why);
    return false;
  }

  // Elements of an open array or object do not move while it is not the innermost one, so pointers hold.
  Json* Place(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    if (open_.back()->is_array()) {
      auto& array = open_.back()->get_ref<Json::array_t&>();
      array.push_back(std::move(value));
      return &array.back();
    }
    *slot_ = std::move(value);
    return slot_;
  }

  bool Count() {
    if (++values_ <= limits_.max_values) return true;
    return Fail("more than " + std::to_string(limits_.max_values) + " values");
  }

  bool Add(Json value) {
    if (open_.empty()) return Fail("an object is expected, in braces");
    if (!Count()) return false;
    Place(std::move(value));
    return true;
  }

  bool Open(Json container) {
    if (open_.empty() && !container.is_object()) return Fail("an object is expected, in braces");
    if (open_.size() == limits_.max_depth) {
      return Fail("nested deeper than " + std::to_string(limits_.max_depth));
    }
    if (!Count()) return false;
    open_.push_back(Place(std::move(container)));
    return true;
  }

  bool Close() {
    open_.pop_back();
    return true;
  }

  const JsonLimits& limits_;
  Json root_;
  EmptiedAtEnd<Json> emptied_{root_};
  std::vector<Json*> open_;
  Json* slot_ = nullptr;
  size_t values_ = 0;
  std::string failure_;
};

// Into `to`, which is null. Places are made before they are filled, so that none moves.
void Copy(const Json& from, nlohmann::ordered_json& to) {
  if (from.is_object()) {
    to = nlohmann::ordered_json::object();
    auto& object = to.get_ref<nlohmann::ordered_json::object_t&>();
    object.reserve(from.size());
    for (const auto& [key, value] : from.get_ref<const Json::object_t&>()) {
      Copy(value, object.emplace_back(key, nullptr).second);
    }
  } else if (from.is_array()) {
    to = nlohmann::ordered_json::array_t(from.size());
    for (size_t i = 0; i < from.size(); ++i) Copy(from[i], to[i]);
  } else {
    to = from;
  }
}

}  // namespace

nlohmann::ordered_json OrderedOf(const Json& json) {
  nlohmann::ordered_json copy;
  const EmptiedAtEnd emptied(copy);
  Copy(json, copy);
  return nlohmann::ordered_json(std::move(copy));
}

Result<Json> ParseJsonObject(std::string_view text, const JsonLimits& limits) {
  // The parser takes a zero byte for the end and skips a byte order mark; neither is JSON.
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') {
      return Error{ErrorCode::kInput, "not JSON: a control character at byte " + std::to_string(i)};
    }
  }
  if (text.starts_with("\xEF\xBB\xBF"))
    return Error{ErrorCode::kInput, "not JSON: a byte order mark comes first"};
  Builder builder(limits);
  if (!Json::sax_parse(text.begin(), text.end(), &builder)) {
    return Error{ErrorCode::kInput, builder.failure().empty() ? "not JSON" : builder.failure()};
  }
  return std::move(builder.root());
}

}  // namespace vqc
