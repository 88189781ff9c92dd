// SPDX-License-Identifier: Apache-2.0
#include "models/import/hub_shapes.h"

namespace vqc {
namespace {

constexpr size_t kMostCounted = 64;

}  // namespace

std::vector<int64_t> HubShapes::OfWeight(const std::string& name) const {
  for (const char* spelling : {".weight", ".weight_v", ".parametrizations.weight.original1"}) {
    const auto found = model_.tensors().find(name + spelling);
    if (found != model_.tensors().end() && found->second.shape.size() >= 2) {
      auto shape = found->second.shape;
      shape.resize(3);
      return shape;
    }
  }
  return {0, 0, 0};
}

std::vector<int64_t> HubShapes::Of(const std::string& name) const {
  const auto found = model_.tensors().find(name);
  std::vector<int64_t> shape;
  if (found != model_.tensors().end()) shape = found->second.shape;
  shape.resize(2);
  return shape;
}

size_t HubShapes::Count(const std::string& prefix, const std::string& suffix) const {
  size_t count = 0;
  while (count < kMostCounted && model_.Has(prefix + std::to_string(count) + suffix)) ++count;
  return count;
}

Status AddUntold(const HubModel& model, const nlohmann::json& usual, nlohmann::json& config) {
  for (const auto& [field, value] : usual.items()) {
    const auto given = model.config().find(field);
    config[field] = given == model.config().end() ? value : *given;
    if (config[field].is_null()) {
      return Error{ErrorCode::kModel, "the tensors do not tell \"" + field +
                                          "\", and their shapes are of no published network; say it in a "
                                          "config.json beside the weights"};
    }
  }
  return {};
}

}  // namespace vqc
