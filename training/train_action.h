// SPDX-License-Identifier: Apache-2.0
// Training of an action tokenizer from recorded episodes. No torch in this header.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "models/write_bundle.h"
#include "training/action_chunks.h"

namespace vqc {

// What the networks are trained with, see TorchPart::train_action.
struct ActionNetworkOptions {
  nlohmann::json network, quantizer;  // models/action_network.h, quantizers/quantizer.h
  std::string init;                   // bundle folder to start from; empty: random weights
  std::string log;                    // CSV file, appended; empty: none
  std::string device = "cpu";
  int threads = 0;  // 0: one for each core
  int64_t batch = 512, steps = 0;
  double seconds = 300;  // where steps is 0
  double learning_rate = 1e-3;
  double jitter = 0.01;  // standard deviation of noise on the samples of sources with few chunks
  uint64_t seed = 1;
};

struct TrainActionOptions {
  struct Data {
    std::string source, path;  // name of the source; file or folder of episodes
    std::vector<int> slots;    // empty: 0, 1, 2, ...
    double share = 1;
  };
  std::vector<Data> data;
  std::string output;                 // bundle folder
  std::string name = "action";        // of the model
  std::string tokenizer = "courses";  // or rvq, mlp, fast, bins
  nlohmann::json about;               // of the card
  int chunk = 10, dims = 7, gripper = -1, stride = 5;
  double quantile = 0.01;
  int levels = 0;               // of rvq, mlp and courses; 0: as many as suit the tokenizer
  int entries = 256;            // of each of them
  double bit_weight = 0.00015;  // of courses
  int joins = 1;                // of courses, see CourseOptions
  bool corrections = false;     // of courses, likewise
  int bins = 256;               // of bins
  double scale = 10;            // of fast
  int vocab = 1024;             // of fast
  bool byte_level = false;      // of fast: merges as its Python fit makes them
  std::string prior = "mixing";
  ActionNetworkOptions network;
  Limits limits;
};

// Reads the episodes, measures the sources, trains what there is to train, fits the prior and writes the
// bundle.
Status TrainAction(const TrainActionOptions& options);

}  // namespace vqc
