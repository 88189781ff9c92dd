// SPDX-License-Identifier: Apache-2.0
// NeuralMaps: the integer network on whole maps whose tokens are all known, as they are where priors learn.
// Says bit for bit what NeuralExpert says token by token, on several threads or on a GPU.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/tokens.h"
#include "entropy/cuda/part.h"
#include "entropy/digits.h"
#include "entropy/neural_network.h"

namespace vqc {

struct NeuralPlace {
  int threads = 1;
  int gpu = -1;  // as CUDA counts; below 0: none
};

class NeuralMaps {
 public:
  // `digits` are those of a token, in coding order. Error kResource: the GPU cannot be had. REQUIRES: the
  // network is of these digits
  static Result<NeuralMaps> Make(std::shared_ptr<const NeuralNetwork> network, std::vector<Digit> digits,
                                 const NeuralPlace& place);

  // Logits of all digits of all tokens, [map][token][digit][kMaxRadix], each given what comes before it in
  // raster order. REQUIRES: maps of one shape and one level, ids within the vocabulary
  Status Logits(std::span<const Tokens> maps, std::vector<int32_t>& logits) const;

  // The log odds of LogOddsOf (entropy/neural_expert.h) for all maps: of each one [token][digit][radix - 1].
  Result<std::vector<std::vector<int16_t>>> LogOdds(std::span<const Tokens> maps) const;

 private:
  NeuralMaps(std::shared_ptr<const NeuralNetwork> network, std::vector<Digit> digits,
             const NeuralPlace& place)
      : network_(std::move(network)), digits_(std::move(digits)), place_(place) {}
  void LogitsOfFrame(const TokenShape& shape, const uint32_t* ids, int32_t* logits) const;

  std::shared_ptr<const NeuralNetwork> network_;
  std::vector<Digit> digits_;
  NeuralPlace place_;
  std::unique_ptr<CudaNeural> gpu_;
};

}  // namespace vqc
