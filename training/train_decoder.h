// SPDX-License-Identifier: Apache-2.0
// Training of another decoder for the tokens of an image model (models/decoder.h). No torch in this header.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "base/result.h"

namespace vqc {

struct TrainDecoderOptions {
  std::string model;                // name or folder of the model, which stays as it is
  std::string data;                 // folder of photos
  std::string valid;                // folder of held-out photos; empty: none are looked at
  std::string classifier;           // weights that scripts/classifier_weights.py wrote
  std::string output;               // decoder's folder, written at the end
  std::string state;                // file of the resumable state; read when it is there
  std::string log;                  // CSV file, appended; empty: none
  std::string name = "perceptual";  // of the decoder
  nlohmann::json about;             // of the card: license, data, ...

  std::string device = "auto";
  int64_t batch = 32, crop = 256;
  double seconds = 600;   // the whole schedule, over all resumed runs
  double stop_after = 0;  // seconds of this run after which the state is saved and it ends; 0: no limit
  int64_t steps = 0;      // the schedule in steps instead of seconds, for reproducible runs; 0: seconds
  double learning_rate = 3e-4;
  // Of each loss, as shares of the gradient that reaches the decoded pixels.
  double pixel_weight = 1, feature_weight = 3, adversarial_weight = 1;
  double feature_blur = 0.5;      // share of the features' distance that does not ask where exactly
  double adversarial_from = 0.1;  // share of the schedule that the discriminator learns alone
  double adversarial_rate = 0.5;  // learning rate of the discriminator over the decoder's
  double rung_share = 0;          // of the crops: decoded from lower rungs of the model's ladder
  uint64_t seed = 1;
};

Status TrainDecoder(const TrainDecoderOptions& options);

}  // namespace vqc
