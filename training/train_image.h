// SPDX-License-Identifier: Apache-2.0
// Training of an image tokenizer from a folder of photos. No torch in this header.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/result.h"

namespace vqc {

struct TrainImageOptions {
  std::string data;            // folder of photos
  std::string valid;           // folder of held-out photos; empty: none are looked at
  std::string output;          // bundle folder, written at the end
  std::string state;           // file of the resumable state; read when it is there
  std::string log;             // CSV file, appended; empty: none
  std::string name = "image";  // of the model
  nlohmann::json config;       // {"network": ..., "quantizer": ..., "tile": ...}, see ImageTokenizer
  nlohmann::json about;        // of the card: license, data, ...

  std::string device = "auto";
  int64_t batch = 64, crop = 256;
  double seconds = 600;   // the whole schedule, over all resumed runs
  double stop_after = 0;  // seconds of this run after which the state is saved and it ends; 0: no limit
  int64_t steps = 0;      // the schedule in steps instead of seconds, for reproducible runs; 0: seconds
  double learning_rate = 1e-3;
  double rate_weight = 0.02;  // of bits per pixel in the loss, at the start; 0: no rate model
  double target_bits = 12.5;  // bits per token that the weight is steered to; 0: the weight stays
  double power = 0.5;         // distortion is mean over crops of MSE^power
  uint64_t seed = 1;
};

Status TrainImage(const TrainImageOptions& options);

// Fits the prior of an image bundle to token maps and rewrites the bundle. A stream that was made with the
// prior before still decodes: the bundle keeps it (models/card.h).
struct TrainPriorOptions {
  std::string model;   // bundle folder
  std::string data;    // folder of photos
  std::string tokens;  // .npy of token maps in place of photos, as `dump` writes it
  std::string prior = "mixing";
  int64_t crops = 8192;      // random crops of 256 x 256 pixels beside the whole photos
  std::string dump;          // .npy file for the token maps of the crops; empty: none
  bool tokens_only = false;  // end after `dump`, and leave the bundle as it is
  std::string device = "auto";
  uint64_t seed = 1;

  // Of "neural" and "codeword".
  double seconds = 600;  // of the network's training
  int64_t steps = 0;     // the same in steps; 0: seconds
  int64_t batch = 16;    // maps of a step, or clips of 64 frames, eight for each
  uint32_t width = 192;  // units of the network's layers

  // Of "neural" alone.
  std::string state;          // file of the network: read when it is there, written when it is trained
  bool network_only = false;  // end after `state`, and leave the bundle as it is
  uint32_t radius = 2;        // of the network
};

Status TrainPrior(const TrainPriorOptions& options);

}  // namespace vqc
