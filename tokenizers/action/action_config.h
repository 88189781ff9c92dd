// SPDX-License-Identifier: Apache-2.0
// What all action tokenizers have in common: the size of a chunk, and the sources whose actions they know.
//
// A source is a robot or simulator with its own dimensions and ranges. Each of its dimensions goes to a slot
// of the model and is scaled so that [low, high] becomes [-1, 1]; what lies beyond is cut off (OpenVLA, Kim
// et al. 2024).
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace vqc {

inline constexpr int kMaxActionDims = 64, kMaxActionChunk = 1024, kMaxActionSources = 64;

struct ActionSource {
  std::string name;
  std::vector<int> slots;        // of the model, one for each own dimension, rising
  std::vector<float> low, high;  // own dimension; low == high where it never moves

  int Dims() const { return static_cast<int>(slots.size()); }
  // From [low, high] to [-1, 1] and back; both ways the result lies in its range.
  float Normalise(int dim, float value) const;
  float Restore(int dim, float value) const;  // what is not a number becomes the middle
};

struct ActionConfig {
  int chunk = 10;    // steps
  int dims = 7;      // slots
  int gripper = -1;  // slot of the gripper; -1: none
  std::vector<ActionSource> sources;

  size_t Values() const { return static_cast<size_t>(chunk) * static_cast<size_t>(dims); }
  int Chunks(int steps) const { return (steps + chunk - 1) / chunk; }
};

// The fields "chunk", "dims", "gripper" and "sources" of a card's config. Error kModel names the field.
Result<ActionConfig> ParseActionConfig(const nlohmann::json& config);
nlohmann::json ToJson(const ActionConfig& config);

// Index of the source called `name`; of the only one where that is empty. Error kUsage lists the names.
Result<int> FindSource(const ActionConfig& config, const std::string& name);

// Low and high of each dimension as the quantiles `share` and 1 - share of its values, of the gripper as its
// least and greatest value. `rows` holds steps x slots.size() values. REQUIRES: at least one step
ActionSource MeasureSource(const std::string& name, std::vector<int> slots, std::span<const float> rows,
                           double share, int gripper);

}  // namespace vqc
