// SPDX-License-Identifier: Apache-2.0
// A golden of a public checkpoint: a small one, and what its own implementation makes of a sound or a
// picture.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "base/safetensors.h"
#include "models/float_weights.h"
#include "models/write_bundle.h"

namespace vqc::testing {

// VQCODEC_CHECKPOINTS names a folder with larger ones.
std::string CheckpointFolder(const std::string& family);

struct Example {
  std::vector<float> input, latents, decoded;
  std::vector<float> scales;   // of segments
  std::vector<float> margins;  // by how much each id was the closest; empty where the oracle does not tell
  std::vector<uint32_t> ids;

  static Example Of(const std::string& folder) {
    Example example;
    const auto file = SafeTensors::Open(folder + "/example.safetensors");
    if (!file.ok()) {
      ADD_FAILURE() << file.error().message;
      return example;
    }
    for (const auto& [name, view] : file->Tensors()) {
      if (name == "ids") {
        example.ids.resize(view.bytes.size() / sizeof(uint32_t));
        std::memcpy(example.ids.data(), view.bytes.data(), view.bytes.size());
        continue;
      }
      auto& values = name == "latents"   ? example.latents
                     : name == "decoded" ? example.decoded
                     : name == "margins" ? example.margins
                     : name == "scales"  ? example.scales
                                         : example.input;
      values = *ToFloats(view, name);
    }
    return example;
  }
};

inline double Rms(std::span<const float> values) {
  double squares = 0;
  for (const float value : values) squares += double{value} * value;
  return std::sqrt(squares / static_cast<double>(std::max<size_t>(values.size(), 1)));
}

// Root mean square of the difference, over that of `expected`.
inline double RelativeError(std::span<const float> expected, std::span<const float> found) {
  if (expected.size() != found.size()) return INFINITY;
  std::vector<float> difference(expected.size());
  for (size_t i = 0; i < expected.size(); ++i) difference[i] = expected[i] - found[i];
  return Rms(difference) / Rms(expected);
}

inline double Decibels(std::span<const float> expected, std::span<const float> found) {
  return -20 * std::log10(RelativeError(expected, found));
}

}  // namespace vqc::testing
