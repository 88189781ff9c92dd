// SPDX-License-Identifier: Apache-2.0
#include "models/import/averaged.h"

#include <algorithm>

namespace vqc {
namespace {

constexpr std::string_view kAverages = "model_ema.";

bool HasAverages(const HubModel& model) {
  const auto found = model.tensors().lower_bound(std::string(kAverages));
  return found != model.tensors().end() && found->first.starts_with(kAverages);
}

}  // namespace

Result<std::vector<float>> FetchAveraged(HubWeights& weights, const std::string& name,
                                         const std::vector<int64_t>& shape) {
  auto last = weights.Plain(name, shape);
  if (!last.ok() || !HasAverages(weights.model())) return last;
  std::string average = name;
  average.erase(std::remove(average.begin(), average.end(), '.'), average.end());
  return weights.Plain(std::string(kAverages) + average, shape);
}

bool OnlyForTraining(std::string_view name) {
  return name.starts_with("loss.") || name.starts_with("model_ema.loss") || name == "model_ema.decay" ||
         name == "model_ema.num_updates";
}

}  // namespace vqc
