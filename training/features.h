// SPDX-License-Identifier: Apache-2.0
// Latents of photos, as rows for training quantizers on. No torch in this header.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace vqc {

struct FeatureOptions {
  std::string photos;  // folder
  std::string model;   // bundle folder of an image tokenizer
  std::string output;  // .npy of float32 [crops * (crop / stride)^2, D]
  bool force = false;
  int64_t crops = 4096, crop = 256;  // random crops and their side in pixels, as training takes them
  int64_t batch = 32;                // crops of a call of the network
  std::string device = "auto";
  uint64_t seed = 1;
};

// Writes what the model's decoder would get if nothing was quantized, row by row of each crop; returns the
// number of rows. Errors: kModel (no image tokenizer), kUsage (a crop that is no multiple of the stride).
Result<int64_t> WriteFeatures(const FeatureOptions& options);

}  // namespace vqc
