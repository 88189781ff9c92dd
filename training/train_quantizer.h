// SPDX-License-Identifier: Apache-2.0
// Training of a quantizer on latents that are there already. No torch in this header.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "models/write_bundle.h"
#include "quantizers/search/rows.h"
#include "quantizers/statistics.h"

namespace vqc {

struct TrainQuantizerOptions {
  nlohmann::json quantizer;  // quantizers/quantizer.h
  Rows features, valid;      // rows of latents; those held out: none of them, the report is of the features
  bool single_codebook = false;  // error kUsage unless the quantizer has one codebook
  std::string state;             // file of the resumable state; read when it is there; empty: none
  std::string log, events;       // CSV file, folder of event files (training/scalar_log.h); empty: none

  std::string device = "auto";
  int64_t batch = 4096;   // rows of a step, in each of several processes
  int64_t steps = 0;      // of the whole training; 0: it is measured in seconds
  double seconds = 60;    // of the whole training, over all resumed runs
  double stop_after = 0;  // seconds of this run after which the state is saved and it ends; 0: no limit
  double learning_rate = 1e-3;
  bool anneal = true;         // learning rate: a warm-up, then constant, then down to a hundredth
  bool kmeans = true;         // codebooks begin with k-means, where there is something to begin with
  int64_t start_rows = 0;     // rows of k-means; 0: four times the codewords
  double revive_until = 0.8;  // share of the training in which dead codewords are replaced
  uint64_t seed = 1;
  std::function<void(double share)> progress = {};  // called after steps
};

struct TrainedQuantizer {
  bool first_process = true;           // of several that trained together; in the others the rest is empty
  bool ended_early = false;            // by stop_after: the rest is empty
  OwnedTensors tensors;                // the quantizer's parameters by name, float32
  std::vector<OwnedTensor> codebooks;  // codewords [K, D] as they are decoded
  std::vector<CodeStatistics> levels;  // of the rows held out, or of all
  std::vector<NormStatistics> norms;   // of each codebook
  uint64_t tokens = 0;                 // that were measured
  double error = 0;                    // mean squared, of a value
  double relative_error = 0;           // over the variance of the values
  int64_t steps = 0;
  double seconds = 0;
};

Result<TrainedQuantizer> TrainQuantizer(const TrainQuantizerOptions& options);

// What a training step costs beside the search for the closest codewords that it contains.
struct StepCost {
  double step = 0, search = 0;  // milliseconds: medians of alternate measurements
};
Result<StepCost> MeasureStepCost(const TrainQuantizerOptions& options, int64_t rounds);

}  // namespace vqc
