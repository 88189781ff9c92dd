// SPDX-License-Identifier: Apache-2.0
// Training of what makes up lost tokens of an image model (models/latent_filler.h). No torch in this header.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace vqc {

struct TrainFillerOptions {
  std::string model;  // folder of the model, in which the filler is written
  std::string data;   // folder of photos
  std::string valid;  // folder of held-out photos; empty: none are looked at
  std::string log;    // CSV file, appended; empty: none

  std::string device = "auto";
  int64_t width = 80, blocks = 12;  // of the network
  int64_t batch = 48, crop = 320;
  double seconds = 600;
  int64_t steps = 0;  // the length in steps instead of seconds, for reproducible runs; 0: seconds
  double learning_rate = 1.2e-3;
  uint64_t seed = 1;
};

Status TrainFiller(const TrainFillerOptions& options);

}  // namespace vqc
