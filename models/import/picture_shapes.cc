// SPDX-License-Identifier: Apache-2.0
#include "models/import/picture_shapes.h"

#include "base/printable.h"

namespace vqc {
namespace {

constexpr size_t kMostLevels = 8, kMostBlocks = 16;

}  // namespace

Result<int64_t> FirstSize(const HubModel& model, const std::string& name) {
  const auto found = model.tensors().find(name);
  if (found == model.tensors().end() || found->second.shape.empty())
    return Error{ErrorCode::kModel, "tensor " + Printable(name) + " is missing; the checkpoint has " +
                                        std::to_string(model.tensors().size()) + " others"};
  return found->second.shape.front();
}

PictureShapes::PictureShapes(const HubModel& model, Rename rename) : model_(model), rename_(rename) {
  while (levels_ < kMostLevels && Has(Level(levels_) + ".block.0.conv1.weight")) ++levels_;
}

Result<nlohmann::json> PictureShapes::Sizes(int groups) const {
  nlohmann::json config = {{"groups", groups}, {"widths", nlohmann::json::array()}};
  for (size_t i = 0; i < levels_; ++i) {
    VQC_ASSIGN(const int64_t width, First(Level(i) + ".block.0.conv1.weight"));
    config["widths"].push_back(width);
  }
  size_t blocks = 0;
  while (blocks < kMostBlocks && Has(Level(0) + ".block." + std::to_string(blocks) + ".conv1.weight"))
    ++blocks;
  config["blocks"] = blocks;
  return config;
}

Result<nlohmann::json> PictureShapes::VqganFields(int groups) const {
  VQC_ASSIGN(auto config, Sizes(groups));
  config["attention"] = nlohmann::json::array();
  for (size_t i = 0; i < levels_; ++i)
    config["attention"].push_back(Has(Level(i) + ".attn.0.norm.weight") ? 1 : 0);
  config["middle_attention"] = Has("encoder.mid.attn_1.norm.weight");
  VQC_ASSIGN(config["latents"], First("encoder.conv_out.weight"));
  VQC_ASSIGN(config["dim"], First("quant_conv.weight"));
  return config;
}

}  // namespace vqc
