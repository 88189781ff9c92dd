// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace vqc {

enum class Precision { kFloat32, kBFloat16 };

// Where and how the network of a tokenizer runs. Each combination has a numerics profile of its own.
struct NetworkOptions {
  std::string device = "cpu";  // "cpu", "cuda", "cuda:N" or "auto"
  int threads = 1;             // of one call
  Precision precision = Precision::kFloat32;
  bool reference =
      false;  // public checkpoints: by libtorch, sounds as a whole, as the reference computes them
};

}  // namespace vqc
