// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/rate_curves.h"

#include <cmath>
#include <filesystem>
#include <map>

#include "apps/vqcodec/figures.h"
#include "base/file.h"
#include "base/json.h"
#include "base/printable.h"

namespace vqc {
namespace {

constexpr uint64_t kMaxFiguresBytes = 1ull << 28;
constexpr JsonLimits kFiguresLimits = {.max_depth = 8, .max_values = 1u << 24, .max_key_bytes = 1024};

// "codec setting" -> stem of the item -> point
using Settings = std::map<std::string, std::map<std::string, RatePoint>>;

Result<Settings> SettingsOf(const std::vector<Json>& records, const CurveAxes& axes) {
  Settings settings;
  for (const Json& record : records) {
    const std::string setting =
        record["codec"].get<std::string>() + " " + record["setting"].get<std::string>();
    const std::string item = std::filesystem::path(record["input"].get<std::string>()).stem().string();
    const double quality = NumberOf(record, axes.metric), rate = NumberOf(record, axes.rate);
    if (!std::isfinite(quality) || !std::isfinite(rate)) {
      return Error{ErrorCode::kInput, Printable(item) + " of " + Printable(setting) + ": has no finite " +
                                          (std::isfinite(rate) ? axes.metric : axes.rate) + "; leave it out"};
    }
    if (!settings[setting]
             .emplace(item, RatePoint{rate, axes.higher_is_better ? quality : -quality})
             .second) {
      return Error{ErrorCode::kInput, Printable(item) + ": comes twice with " + Printable(setting) +
                                          "; figures of one setting must come once"};
    }
  }
  return settings;
}

ItemCurve CurveOf(const Settings& settings, const std::vector<std::string>& items) {
  ItemCurve curve;
  for (const auto& [setting, points] : settings) {
    curve.emplace_back();
    for (const std::string& item : items) curve.back().push_back(points.at(item));
  }
  return curve;
}

}  // namespace

Result<std::vector<Json>> ReadFigures(const std::vector<std::string>& paths, const std::string& codec) {
  std::vector<Json> records;
  for (const std::string& path : paths) {
    const std::string name = Printable(path);
    VQC_ASSIGN(const auto bytes, ReadFile(path, kMaxFiguresBytes));
    const auto parsed =
        ParseJsonObject({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, kFiguresLimits);
    if (!parsed.ok()) return Error{ErrorCode::kInput, name + ": " + parsed.error().message};
    const Json all = *parsed;
    if (!all.contains("results") || !all["results"].is_array()) {
      return Error{ErrorCode::kInput, name + ": has no results; give what vqcodec eval --json printed"};
    }
    for (const Json& record : all["results"]) {
      if (!record.is_object()) return Error{ErrorCode::kInput, name + ": a result is not an object"};
      if (record.contains("error") && !record["error"].is_null()) continue;
      for (const char* key : {"codec", "setting", "input"}) {
        if (record.contains(key) && record[key].is_string()) continue;
        return Error{ErrorCode::kInput,
                     name + ": a result has no " + key + "; give what vqcodec eval --json printed"};
      }
      if (codec.empty() || record["codec"] == codec) records.push_back(record);
    }
  }
  return records;
}

Result<CurvePair> PairCurves(const std::vector<Json>& reference, const std::vector<Json>& test,
                             const CurveAxes& axes) {
  VQC_ASSIGN(const Settings a, SettingsOf(reference, axes));
  VQC_ASSIGN(const Settings b, SettingsOf(test, axes));
  CurvePair pair;
  if (!a.empty()) {
    for (const auto& [item, point] : a.begin()->second) {
      bool shared = true;
      for (const Settings* settings : {&a, &b}) {
        for (const auto& [setting, points] : *settings) shared = shared && points.contains(item);
      }
      if (shared) pair.items.push_back(item);
    }
  }
  if (pair.items.empty() || b.empty()) {
    return Error{ErrorCode::kInput,
                 "the settings of both curves have no item in common (by the name before the "
                 "extension)"};
  }
  pair.reference = CurveOf(a, pair.items);
  pair.test = CurveOf(b, pair.items);
  return pair;
}

}  // namespace vqc
