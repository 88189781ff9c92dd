// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/train_checks.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "base/printable.h"
#include "models/store.h"

namespace vqc {
namespace {

namespace fs = std::filesystem;
constexpr uint64_t kMaxJsonBytes = 1 << 20;
constexpr uint32_t kMinLevels = 3, kMaxLevels = 64;  // of one FSQ digit
constexpr size_t kMaxDigits = 16, kMaxName = 64;
constexpr std::string_view kConfigKeys[] = {"network", "quantizer", "tile"};

std::string Short(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.12g", value);
  return text;
}

Error BadLevels(const std::string& text) {
  return {ErrorCode::kUsage, "--levels: " + Printable(text, 64) + " is not a list of 1 to " +
                                 std::to_string(kMaxDigits) + " whole numbers from " +
                                 std::to_string(kMinLevels) + " to " + std::to_string(kMaxLevels) +
                                 "; write it like 8,8,8,5,5,5"};
}

Status CheckConfigKeys(const nlohmann::json& config, const std::string& path) {
  for (const auto& [key, value] : config.items()) {
    if (std::find(std::begin(kConfigKeys), std::end(kConfigKeys), key) != std::end(kConfigKeys)) continue;
    return Error{ErrorCode::kInput,
                 Printable(path) + ": has a field " + Printable(key, 64) +
                     ", which a config has not; the fields are network, quantizer and tile"};
  }
  return {};
}

}  // namespace

CLI::Validator WithinBounds(const Bounds& bounds) {
  const auto check = [bounds](std::string& text) -> std::string {
    double value = NAN;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    const bool is_number = error == std::errc() && stop == end && std::isfinite(value);
    const bool in_range =
        is_number && value <= bounds.high && (bounds.open ? value > bounds.low : value >= bounds.low);
    const bool is_whole = text.find_first_not_of("0123456789") == std::string::npos;
    if (in_range && (is_whole || !bounds.whole)) return {};
    return Printable(text, 64) + " is not a " + (bounds.whole ? "whole number" : "number") +
           (bounds.open ? " above " + Short(bounds.low) + " and up to "
                        : " from " + Short(bounds.low) + " to ") +
           Short(bounds.high);
  };
  return CLI::Validator(check, "");
}

CLI::Option* AddText(CLI::App& app, const std::string& name, std::string& value, const char* type,
                     const char* group, const std::string& what) {
  return app.add_option(name, value, what)->type_name(type)->group(group);
}

void AddPlace(CLI::App& app, std::string& device, uint64_t& seed) {
  AddText(app, "--device", device, "DEVICE", "Training", "cpu, cuda, cuda:N or auto (default auto)");
  AddNumber(app, "--seed", seed, {0, 4294967295.0, false, true}, "Of the random numbers (default 1)");
}

void AddLength(CLI::App& app, const TrainingLength& length) {
  constexpr double kMany = 1e9;
  auto* seconds =
      AddNumber(app, "--seconds", length.seconds, {0, kMany, true, false},
                "Length of the whole training, all pieces counted (default " + Short(length.seconds) + ")");
  AddNumber(app, "--steps", length.steps, {1, kMany, false, true},
            "The same in steps, whatever the speed of the machine")
      ->excludes(seconds);
  AddNumber(app, "--stop-after", length.stop_after, {0, kMany, true, false},
            "Save the --state and end this piece after X seconds");
}

Result<nlohmann::json> ParseLevels(const std::string& text) {
  std::vector<uint32_t> levels;
  const char *at = text.data(), *const end = at + text.size();
  for (;; ++at) {
    uint32_t level = 0;
    const auto [stop, error] = std::from_chars(at, end, level);
    if (error != std::errc() || level < kMinLevels || level > kMaxLevels || levels.size() == kMaxDigits) {
      return BadLevels(text);
    }
    levels.push_back(level);
    at = stop;
    if (at == end) break;
    if (*at != ',') return BadLevels(text);
  }
  return nlohmann::json{{"type", "fsq"}, {"levels", levels}};
}

Result<nlohmann::json> ReadJsonFile(const std::string& path) {
  VQC_ASSIGN(const auto bytes, ReadFile(path, kMaxJsonBytes));
  auto json = ParseJsonObject({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  if (!json.ok()) return Error{json.error().code, Printable(path) + ": " + json.error().message};
  return json;
}

Result<nlohmann::json> ReadAbout(const std::string& path) {
  if (path.empty()) return nlohmann::json::object();
  return ReadJsonFile(path);
}

Result<nlohmann::json> ReadConfig(const std::string& path, const std::string& levels) {
  nlohmann::json config = nlohmann::json::object();
  if (!path.empty()) {
    VQC_ASSIGN(config, ReadJsonFile(path));
    VQC_TRY(CheckConfigKeys(config, path));
  }
  if (levels.empty() && config.contains("quantizer")) return config;
  if (!levels.empty() && config.contains("quantizer")) {
    return Error{ErrorCode::kUsage,
                 "--levels: " + Printable(path) + " names a quantizer already; leave out one of the two"};
  }
  VQC_ASSIGN(config["quantizer"], ParseLevels(levels.empty() ? "8,8,8,5,5,5" : levels));
  return config;
}

Status CheckModelName(const std::string& name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  const bool good = !name.empty() && name.size() <= kMaxName && name[0] != '.' && name[0] != '-' &&
                    std::all_of(name.begin(), name.end(), fits);
  if (good) return {};
  return Error{ErrorCode::kUsage, "--name: \"" + Printable(name, 80) + "\" is not 1 to " +
                                      std::to_string(kMaxName) +
                                      " letters, digits, '-', '_' and '.', the first a letter or digit"};
}

Status CheckFolder(const std::string& path, std::string_view option) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (fs::is_directory(status)) return {};
  return Error{ErrorCode::kInput, std::string(option) + ": " + Printable(path) + ": " +
                                      (fs::exists(status) ? "is no folder"
                                       : error            ? error.message()
                                                          : "does not exist") +
                                      "; name a folder of photos"};
}

Status CheckWritable(const std::string& path, std::string_view option) {
  // The nearest thing that is there: the file itself, or a folder above it.
  fs::path place = path;
  std::error_code ignored;
  while (!place.empty() && !fs::exists(place, ignored)) place = place.parent_path();
  if (place.empty()) place = ".";
  const bool is_folder = place == fs::path(path) || fs::is_directory(place, ignored);
  if (!is_folder) errno = ENOTDIR;
  if (is_folder && access(place.c_str(), W_OK) == 0) return {};
  const std::string why = ErrnoText(errno);
  return Error{ErrorCode::kOutput, std::string(option) + ": " + Printable(path) + ": cannot be written: " +
                                       Printable(place.string()) + ": " + why + "; choose another place"};
}

Status CheckModelOutput(const std::string& folder, bool force) {
  std::error_code ignored;
  if (fs::exists(folder, ignored) && !fs::is_directory(folder, ignored)) {
    return Error{ErrorCode::kUsage, "--output: " + Printable(folder) + ": is no folder; a model is a folder"};
  }
  for (const std::string_view file : {kCardFile, kWeightsFile}) {
    if (force || !fs::exists(fs::path(folder) / file, ignored)) continue;
    return Error{ErrorCode::kExists,
                 "--output: " + Printable(folder) +
                     ": holds a model already; replace it with --force, or choose another"};
  }
  return CheckWritable(folder, "--output");
}

Status CheckOutput(const std::string& path, std::string_view option, bool force) {
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored) && !force) {
    return Error{ErrorCode::kExists, std::string(option) + ": " + Printable(path) +
                                         ": exists already; overwrite it with --force, or choose another"};
  }
  return CheckWritable(path, option);
}

Status CheckPlaces(const TrainingPlaces& places, bool force) {
  VQC_TRY(CheckFolder(places.data, "--data"));
  if (!places.valid.empty()) VQC_TRY(CheckFolder(places.valid, "--valid"));
  VQC_TRY(CheckModelOutput(places.output, force));
  if (!places.state.empty()) VQC_TRY(CheckWritable(places.state, "--state"));
  if (!places.log.empty()) VQC_TRY(CheckWritable(places.log, "--log"));
  return {};
}

Status CheckStopAfter(double seconds, const std::string& state) {
  if (seconds <= 0 || !state.empty()) return {};
  return Error{ErrorCode::kUsage, "--stop-after needs --state FILE, or what was learned would be lost"};
}

void SayTrained(const std::string& output, const std::string& data) {
  const std::string folder = Printable(output);
  std::fprintf(stderr, "%s: written; now learn its prior: vqcodec train prior %s --data %s\n", folder.c_str(),
               folder.c_str(), Printable(data).c_str());
}

}  // namespace vqc
