// SPDX-License-Identifier: Apache-2.0
// Trains the network of the prior "neural" on token maps of one shape.
#pragma once

#include <torch/types.h>

#include <cstdint>

#include "entropy/neural_network.h"

namespace vqc {

struct NeuralTrainOptions {
  torch::Device device = torch::kCPU;
  double seconds = 60;  // of the schedule
  int64_t steps = 0;    // the schedule in steps instead, for runs that repeat; 0: seconds
  int64_t batch = 256;  // maps
  double learning_rate = 3e-3;
  uint64_t seed = 1;
};

// `digits` is [n, h, w, D] uint8 on the CPU. Orders in which tokens become known are mixed: raster order,
// which files are coded in, and maps with holes, which are what is left of damaged files. Sets
// shape.window_bits.
NeuralWeights TrainNeural(const torch::Tensor& digits, NeuralShape& shape, const NeuralTrainOptions& options);

}  // namespace vqc
