// SPDX-License-Identifier: Apache-2.0
// What training is asked for, checked before hours go into it.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vqc {

// For CLI11: a finite number from `low` to `high`; `open` leaves `low` itself out. A whole number where
// `whole`.
struct Bounds {
  double low = 0, high = 1;
  bool open = false, whole = false;
};
CLI::Validator WithinBounds(const Bounds& bounds);

template <class Number>
CLI::Option* AddNumber(CLI::App& app, const std::string& name, Number& value, const Bounds& bounds,
                       const std::string& what, const std::string& group = "Training") {
  return app.add_option(name, value, what)
      ->type_name(bounds.whole ? "N" : "X")
      ->group(group)
      ->check(WithinBounds(bounds));
}

CLI::Option* AddText(CLI::App& app, const std::string& name, std::string& value, const char* type,
                     const char* group, const std::string& what);

// --device and --seed.
void AddPlace(CLI::App& app, std::string& device, uint64_t& seed);

// --seconds or --steps of a training that may be cut into pieces, and --stop-after.
struct TrainingLength {
  double& seconds;
  int64_t& steps;
  double& stop_after;
};
void AddLength(CLI::App& app, const TrainingLength& length);

// "8,8,8,5,5,5": the config of an FSQ quantizer. Error kUsage.
Result<nlohmann::json> ParseLevels(const std::string& text);

// The config of an image model: that of `path` (an object with network, quantizer and tile, none of which is
// needed; empty for none), with the quantizer of `levels` where that is not empty. Errors: kInput for the
// file, kUsage where both name a quantizer.
Result<nlohmann::json> ReadConfig(const std::string& path, const std::string& levels);

// A JSON object from a file.
Result<nlohmann::json> ReadJsonFile(const std::string& path);

// What --about names, for a card; an empty object where it names nothing.
Result<nlohmann::json> ReadAbout(const std::string& path);

// Error kUsage: letters, digits and ._- from 1 to 64 of them, since models are named on command lines.
Status CheckModelName(const std::string& name);

// Error kInput where `path` is no folder; `option` is for the message.
Status CheckFolder(const std::string& path, std::string_view option);

// Error kOutput where a file or folder `path` cannot come to be or be rewritten.
Status CheckWritable(const std::string& path, std::string_view option);

// The same for a file that is to be new: error kExists where there is one and not `force`.
Status CheckOutput(const std::string& path, std::string_view option, bool force);

// Error kExists where `folder` holds a model and not `force`: a model must not be lost to a mistyped name.
Status CheckModelOutput(const std::string& folder, bool force);

// Where a resumable training reads and writes: its options of these names.
struct TrainingPlaces {
  const std::string &data, &valid, &output, &state, &log;
};
Status CheckPlaces(const TrainingPlaces& places, bool force);

// Error kUsage where a run is to be stopped and there is no state to keep.
Status CheckStopAfter(double seconds, const std::string& state);

// Says that the model is written, and how its prior is learned.
void SayTrained(const std::string& output, const std::string& data);

}  // namespace vqc
