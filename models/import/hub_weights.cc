// SPDX-License-Identifier: Apache-2.0
#include "models/import/hub_weights.h"

#include <cmath>
#include <cstring>

#include "base/printable.h"
#include "models/float_weights.h"

namespace vqc {

Result<std::vector<float>> HubWeights::Plain(const std::string& name, const std::vector<int64_t>& shape) {
  const auto found = model_.tensors().find(name);
  if (found == model_.tensors().end()) {
    return Error{ErrorCode::kModel, "tensor " + Printable(name) + " " + ShapeText(shape) +
                                        " is missing; the checkpoint has " +
                                        std::to_string(model_.tensors().size()) + " others"};
  }
  if (found->second.shape != shape) {
    return Error{ErrorCode::kModel, "tensor " + Printable(name) + " has shape " +
                                        ShapeText(found->second.shape) + "; the config needs " +
                                        ShapeText(shape)};
  }
  taken_.insert(name);
  return ToFloats(found->second, name);
}

Result<std::vector<float>> HubWeights::Folded(const std::string& name, const std::vector<int64_t>& shape) {
  constexpr std::string_view kWeight = ".weight";
  if (model_.Has(name) || !name.ends_with(kWeight)) return Plain(name, shape);
  std::string magnitudes = name + "_g", directions = name + "_v";
  if (!model_.Has(directions)) {
    const std::string stem =
        name.substr(0, name.size() - kWeight.size()) + ".parametrizations.weight.original";
    magnitudes = stem + "0";
    directions = stem + "1";
    if (!model_.Has(directions)) return Plain(name, shape);
  }
  std::vector<int64_t> column(shape.size(), 1);
  column[0] = shape[0];
  VQC_ASSIGN(const auto g, Plain(magnitudes, column));
  VQC_ASSIGN(auto v, Plain(directions, shape));
  const size_t row = v.size() / g.size();
  for (size_t o = 0; o < g.size(); ++o) {
    double squares = 0;
    for (size_t i = 0; i < row; ++i) squares += double{v[o * row + i]} * double{v[o * row + i]};
    if (squares == 0) {
      return Error{ErrorCode::kModel, "tensor " + Printable(directions) + " has a direction of length 0 at " +
                                          std::to_string(o) + "; the weights are damaged"};
    }
    const auto scale = static_cast<float>(double{g[o]} / std::sqrt(squares));
    for (size_t i = 0; i < row; ++i) v[o * row + i] *= scale;
  }
  return v;
}

void HubWeights::Keep(const std::string& name, const std::vector<int64_t>& shape,
                      const std::vector<float>& values) {
  OwnedTensor tensor{DType::kF32, shape, std::vector<uint8_t>(values.size() * sizeof(float))};
  if (!values.empty()) std::memcpy(tensor.bytes.data(), values.data(), tensor.bytes.size());
  kept_[name] = std::move(tensor);
}

Status HubWeights::CheckAllTaken(bool (*ignored)(std::string_view name)) const {
  std::string first;
  size_t extra = 0;
  for (const auto& [name, view] : model_.tensors()) {
    if (taken_.contains(name) || ignored(name)) continue;
    if (extra++ == 0) first = Printable(name) + " " + ShapeText(view.shape);
  }
  if (extra == 0) return {};
  return Error{ErrorCode::kModel,
               "tensor " + first + (extra > 1 ? " and " + std::to_string(extra - 1) + " more are" : " is") +
                   " not of this network; the config belongs to other weights"};
}

}  // namespace vqc
