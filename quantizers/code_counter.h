// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <vector>

#include "quantizers/quantizer.h"
#include "quantizers/statistics.h"

namespace vqc {

// Counts the codes of any quantizer, level by level, on the device where they are.
class CodeCounter {
 public:
  explicit CodeCounter(const std::vector<uint32_t>& vocab) : vocab_(vocab), counts_(vocab.size()) {}

  // codes: [B, K, ...] int64, below the vocabulary.
  void Add(const torch::Tensor& codes);
  // Of each level [vocab] int64, undefined before the first Add; those of several processes may be added.
  std::vector<torch::Tensor>& counts() { return counts_; }
  std::vector<CodeStatistics> Statistics() const;

 private:
  std::vector<uint32_t> vocab_;
  std::vector<torch::Tensor> counts_;
};

// Lengths of the codewords of each codebook; empty for quantizers without one.
std::vector<NormStatistics> CodebookNorms(Quantizer& quantizer);

}  // namespace vqc
