// SPDX-License-Identifier: Apache-2.0
// Weights of a published checkpoint under the names of our networks, and a record of what was taken.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "models/import/hub_model.h"
#include "models/write_bundle.h"

namespace vqc {

class HubWeights {
 public:
  explicit HubWeights(const HubModel& model) : model_(model) {}

  const HubModel& model() const { return model_; }

  // The values of a tensor of the checkpoint. Error kModel names it, what was found and what was expected.
  Result<std::vector<float>> Plain(const std::string& name, const std::vector<int64_t>& shape);
  // The same; a convolution's NAME.weight may be kept as magnitudes g of its first dimension and directions v
  // (Salimans and Kingma 2016, arXiv 1602.07868), in either of torch's two spellings.
  Result<std::vector<float>> Folded(const std::string& name, const std::vector<int64_t>& shape);

  // Keeps values as tensor `name` of our bundle.
  void Keep(const std::string& name, const std::vector<int64_t>& shape, const std::vector<float>& values);
  OwnedTensors TakeKept() { return std::move(kept_); }

  // Error kModel names tensors that nothing took and `ignored` does not know.
  Status CheckAllTaken(bool (*ignored)(std::string_view name)) const;

 private:
  const HubModel& model_;
  std::set<std::string, std::less<>> taken_;
  OwnedTensors kept_;
};

}  // namespace vqc
