// SPDX-License-Identifier: Apache-2.0
#include "models/import/seanet_layout.h"

namespace vqc {
namespace {

constexpr size_t kMostLayers = 64;
constexpr char kEncoder[] = "encoder.model.", kUnit[] = ".block.1.conv.conv";

}  // namespace

std::vector<int64_t> SeanetLayout::OfLayer(size_t number, const char* rest) const {
  return shapes_.OfWeight(prefix_ + kEncoder + std::to_string(number) + rest);
}

// Layers are residual units, then a step down behind an activation, until no more units come.
Status SeanetLayout::Read(nlohmann::json& config) const {
  const auto first = OfLayer(0, ".conv.conv");
  config["num_filters"] = first[0];
  config["kernel_size"] = first[2];
  size_t at = 1, units = 0;
  std::vector<int64_t> ratios;
  while (at < kMostLayers && OfLayer(at, kUnit)[0] > 0) {
    const auto unit = OfLayer(at, kUnit);
    config["residual_kernel_size"] = unit[2];
    config["compress"] = unit[1] / unit[0];
    config["use_conv_shortcut"] = OfLayer(at, ".shortcut.conv.conv")[0] > 0;
    units = 0;
    while (at < kMostLayers && OfLayer(at, kUnit)[0] > 0) ++at, ++units;
    ratios.insert(ratios.begin(), OfLayer(at + 1, ".conv.conv")[2] / 2);
    at += 2;
  }
  config["num_residual_layers"] = units;
  config["upsampling_ratios"] = ratios;
  const std::string layers = prefix_ + kEncoder;
  const size_t lstm = shapes_.Count(layers + std::to_string(at) + ".lstm.weight_ih_l", "");
  config["num_lstm_layers"] = lstm;
  const auto last = OfLayer(at + (lstm > 0 ? 2 : 1), ".conv.conv");
  config["hidden_size"] = last[0];
  config["last_kernel_size"] = last[2];
  if (first[0] > 0 && last[0] > 0) return {};
  return Error{ErrorCode::kModel, "the layers " + layers + "* are not those of an encoder: no " +
                                      "convolution begins them, or none follows layer " + std::to_string(at)};
}

std::string SeanetLayout::NameOf(const std::string& name) const {
  constexpr std::string_view kLayers = "coder.layers.";  // of both sides, behind two letters
  if (name.find(kLayers) != 2) return name;
  std::string native = prefix_ + name.substr(0, 2) + "coder.model." + name.substr(2 + kLayers.size());
  for (const std::string& part : {std::string(".conv."), std::string(".norm.")}) {
    const size_t at = native.find(part, prefix_.size());
    if (at == std::string::npos) continue;
    const std::string stem = native.substr(0, at);
    const std::string module = model_.Has(stem + ".convtr.convtr.bias") ? "convtr" : "conv";
    return stem + "." + module + (part == ".norm." ? part : "." + module + ".") +
           native.substr(at + part.size());
  }
  return native;
}

}  // namespace vqc
