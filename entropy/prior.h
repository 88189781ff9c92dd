// SPDX-License-Identifier: Apache-2.0
// Prior: what predicts the tokens. PriorModel is immutable and shared; a Prior is one chunk's state.
#pragma once

#include <memory>

namespace vqc {

class Prior;

class PriorModel {
 public:
  virtual ~PriorModel() = default;
  virtual std::unique_ptr<Prior> NewPrior() const = 0;
};

}  // namespace vqc
