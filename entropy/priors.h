// SPDX-License-Identifier: Apache-2.0
// The table of priors: what predicts the tokens.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/tokens.h"
#include "entropy/digits.h"  // Factors
#include "entropy/prior.h"

namespace vqc {

// A trained prior starts from counts learned on training tokens; `tables` are the bytes that
// PriorTrainer wrote, empty for priors that need none.
struct PriorRow {
  uint8_t coding;            // written to streams: frozen
  std::string_view name;     // "uniform", "adaptive", "static", "mixing", ...
  std::string_view summary;  // one line for `vqcodec list`
  bool trained;
};
std::span<const PriorRow> Priors();

Result<std::shared_ptr<const PriorModel>> MakePrior(std::string_view name, const Factors& factors,
                                                    std::span<const uint8_t> tables);

// Learns the tables of a trained prior from token maps.
class PriorTrainer {
 public:
  virtual ~PriorTrainer() = default;
  virtual Status Add(const Tokens& tokens) = 0;
  virtual Result<std::vector<uint8_t>> Finish() = 0;
};
Result<std::unique_ptr<PriorTrainer>> MakePriorTrainer(std::string_view name, const Factors& factors);

}  // namespace vqc
