// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/action/action_config.h"

#include <algorithm>
#include <cmath>

namespace vqc {
namespace {

using Json = nlohmann::json;

Error Wrong(const std::string& field, const Json& given, const std::string& allowed) {
  return {ErrorCode::kModel, "action tokenizer: \"" + field + "\" is " +
                                 given.dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, 64) +
                                 "; it must be " + allowed};
}

Result<int> Whole(const Json& config, const char* field, int low, int high) {
  const Json given = config.value(field, Json());
  if (!given.is_number_integer() || given < low || given > high) {
    return Wrong(field, given, "a whole number from " + std::to_string(low) + " to " + std::to_string(high));
  }
  return given.get<int>();
}

Result<std::vector<float>> Numbers(const Json& source, const char* field, size_t count) {
  const Json given = source.value(field, Json());
  const std::string allowed = "a list of " + std::to_string(count) + " finite numbers";
  if (!given.is_array() || given.size() != count) return Wrong(field, given, allowed);
  std::vector<float> numbers;
  for (const Json& number : given) {
    if (!number.is_number()) return Wrong(field, given, allowed);
    numbers.push_back(number.get<float>());
    if (!std::isfinite(numbers.back())) return Wrong(field, given, allowed);
  }
  return numbers;
}

Result<ActionSource> ParseSource(const Json& json, int dims) {
  if (!json.is_object() || !json.contains("name") || !json["name"].is_string())
    return Wrong("sources", json, "a list of objects with name, slots, low and high");
  ActionSource source;
  source.name = json["name"].get<std::string>();
  const Json slots = json.value("slots", Json());
  if (!slots.is_array() || slots.empty()) return Wrong("slots", slots, "a list of slots");
  for (const Json& slot : slots) {
    const int least = source.slots.empty() ? 0 : source.slots.back() + 1;
    if (!slot.is_number_integer() || slot < least || slot >= dims)
      return Wrong("slots", slots, "rising and below " + std::to_string(dims));
    source.slots.push_back(slot.get<int>());
  }
  VQC_ASSIGN(source.low, Numbers(json, "low", source.slots.size()));
  VQC_ASSIGN(source.high, Numbers(json, "high", source.slots.size()));
  for (size_t i = 0; i < source.low.size(); ++i) {
    if (source.low[i] > source.high[i]) return Wrong("low", json["low"], "nowhere above \"high\"");
    if (!std::isfinite(source.high[i] - source.low[i]))
      return Wrong("high", json["high"], "within the range of float32");
  }
  return source;
}

}  // namespace

float ActionSource::Normalise(int dim, float value) const {
  const auto i = static_cast<size_t>(dim);
  if (!(high[i] > low[i])) return 0;
  const float scaled = 2 * (value - low[i]) / (high[i] - low[i]) - 1;
  return std::clamp(scaled, -1.0f, 1.0f);
}

float ActionSource::Restore(int dim, float value) const {
  const auto i = static_cast<size_t>(dim);
  const float known = std::isnan(value) ? 0.0f : std::clamp(value, -1.0f, 1.0f);
  return std::clamp(low[i] + (known + 1) * 0.5f * (high[i] - low[i]), low[i], high[i]);
}

Result<ActionConfig> ParseActionConfig(const Json& config) {
  if (!config.is_object()) return Error{ErrorCode::kModel, "action tokenizer: the config is not an object"};
  ActionConfig parsed;
  VQC_ASSIGN(parsed.chunk, Whole(config, "chunk", 1, kMaxActionChunk));
  VQC_ASSIGN(parsed.dims, Whole(config, "dims", 1, kMaxActionDims));
  VQC_ASSIGN(parsed.gripper, Whole(config, "gripper", -1, parsed.dims - 1));
  const Json sources = config.value("sources", Json());
  if (!sources.is_array() || sources.empty() || sources.size() > kMaxActionSources)
    return Wrong("sources", sources, "a list of 1 to " + std::to_string(kMaxActionSources));
  for (const Json& source : sources) {
    VQC_ASSIGN(parsed.sources.emplace_back(), ParseSource(source, parsed.dims));
  }
  return parsed;
}

Json ToJson(const ActionConfig& config) {
  Json sources = Json::array();
  for (const ActionSource& s : config.sources) {
    sources.push_back({{"name", s.name}, {"slots", s.slots}, {"low", s.low}, {"high", s.high}});
  }
  return {{"chunk", config.chunk}, {"dims", config.dims}, {"gripper", config.gripper}, {"sources", sources}};
}

Result<int> FindSource(const ActionConfig& config, const std::string& name) {
  if (name.empty() && config.sources.size() == 1) return 0;
  std::string names;
  for (size_t i = 0; i < config.sources.size(); ++i) {
    if (config.sources[i].name == name) return static_cast<int>(i);
    names += (names.empty() ? "" : ", ") + config.sources[i].name;
  }
  return Error{ErrorCode::kUsage, (name.empty() ? "the model knows several sources of actions"
                                                : "the model knows no source of actions called " + name) +
                                      "; name one with --source: " + names};
}

ActionSource MeasureSource(const std::string& name, std::vector<int> slots, std::span<const float> rows,
                           double share, int gripper) {
  ActionSource source{name, std::move(slots), {}, {}};
  const size_t dims = source.slots.size(), steps = rows.size() / dims;
  std::vector<float> column(steps);
  for (size_t d = 0; d < dims; ++d) {
    for (size_t t = 0; t < steps; ++t) column[t] = rows[t * dims + d];
    std::sort(column.begin(), column.end());
    const double cut = source.slots[d] == gripper ? 0 : share;
    const auto at = static_cast<size_t>(cut * static_cast<double>(steps - 1));
    source.low.push_back(column[at]);
    source.high.push_back(column[steps - 1 - at]);
  }
  return source;
}

}  // namespace vqc
