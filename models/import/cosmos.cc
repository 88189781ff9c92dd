// SPDX-License-Identifier: Apache-2.0
// The discrete picture tokenizers of Cosmos. Their tensors are those of VQGAN without a codebook, on patches
// of 2 x 2 pixels or more, and also tell the levels of the scalars and the wavelet.
#include <cmath>
#include <cstring>
#include <string>

#include "models/float_weights.h"
#include "models/import/families.h"
#include "models/import/picture_shapes.h"

namespace vqc {
namespace {

constexpr char kFirst[] = "encoder.conv_in.weight", kWavelet[] = "encoder.patcher.wavelets",
               kLevels[] = "quantizer._levels";

// Rows and columns of a patch, whose pixels of 3 colours are the first layer's channels; 0 where it has none.
int PatchOf(const HubModel& model) {
  const auto found = model.tensors().find(kFirst);
  if (found == model.tensors().end() || found->second.shape.size() != 4) return 0;
  for (const int side : {2, 4, 8}) {
    if (found->second.shape[1] == 3 * side * side) return side;
  }
  return 0;
}

// Pixels that are only put side by side have "wavelets" of 1.
Status CheckWavelet(const HubModel& model) {
  const auto found = model.tensors().find(kWavelet);
  if (found == model.tensors().end()) return {};
  VQC_ASSIGN(const auto values, ToFloats(found->second, kWavelet));
  for (const float value : values) {
    if (std::abs(value - std::sqrt(0.5f)) > 1e-2f)
      return Error{ErrorCode::kModel, std::string("tensor ") + kWavelet + " holds " + std::to_string(value) +
                                          "; only the Haar wavelet, 0.7071, is supported"};
  }
  return {};
}

Result<nlohmann::json> LevelsOf(const HubModel& model, int64_t dim) {
  if (const auto given = model.config().find("levels"); given != model.config().end()) return *given;
  const nlohmann::json published = {8, 8, 8, 5, 5, 5};
  const auto found = model.tensors().find(kLevels);
  if (found != model.tensors().end() && found->second.dtype == DType::kI32) {
    nlohmann::json levels = nlohmann::json::array();
    for (size_t at = 0; at + sizeof(int32_t) <= found->second.bytes.size(); at += sizeof(int32_t)) {
      int32_t count;
      std::memcpy(&count, found->second.bytes.data() + at, sizeof count);
      levels.push_back(count);
    }
    return levels;
  }
  if (dim == static_cast<int64_t>(published.size())) return published;
  return Error{ErrorCode::kModel, "tensor quant_conv.weight has " + std::to_string(dim) +
                                      " outputs, and neither a tensor " + kLevels +
                                      " nor a field \"levels\" of config.json says how they are rounded; the "
                                      "continuous tokenizers have no ids"};
}

Result<nlohmann::json> Config(const HubModel& model) {
  VQC_TRY(CheckWavelet(model));
  VQC_ASSIGN(auto config, PictureShapes(model, &OwnName).VqganFields(kUsualGroups));
  VQC_ASSIGN(config["stem"], FirstSize(model, kFirst));
  config["patch"] = PatchOf(model);
  int halvings = 0;
  while (model.Has("encoder.down." + std::to_string(halvings) + ".downsample.conv.weight")) ++halvings;
  config["halvings"] = halvings;
  VQC_ASSIGN(config["levels"], LevelsOf(model, config["dim"].get<int64_t>()));
  return config;
}

Result<std::vector<float>> Fetch(HubWeights& weights, const std::string& name,
                                 const std::vector<int64_t>& shape) {
  return weights.Plain(name, shape);
}

}  // namespace

const Family kCosmosFamily{
    .name = "Cosmos",
    .tokenizer = "cosmos",
    .modality = Modality::kImage,
    .matches =
        [](const HubModel& model) {
          return model.Has("encoder.down.0.block.0.conv1.weight") && PatchOf(model) != 0 &&
                 !model.Has("quantize.embedding.weight");
        },
    .config = &Config,
    .fetch = &Fetch,
    // TorchScript saves what the programs compute when they start.
    .ignored =
        [](std::string_view name) {
          return name.starts_with("quantizer.") || name.starts_with("encoder.patcher.") ||
                 name.starts_with("decoder.unpatcher.");
        },
};

}  // namespace vqc
