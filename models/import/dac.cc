// SPDX-License-Identifier: Apache-2.0
// DAC as transformers publishes it (descript/dac_16khz, dac_24khz, dac_44khz), and as its authors do
// (weights_44khz.pth and the like, once it is a safetensors file).
#include <algorithm>

#include "models/import/dac_layout.h"
#include "models/import/families.h"
#include "models/import/hub_shapes.h"

namespace vqc {
namespace {

// Of the published networks in the authors' layout; their strides and levels tell them apart.
struct Published {
  std::vector<int64_t> strides;
  size_t levels;
  int rate;
};

bool IsNative(const HubModel& model) {
  return model.Has("decoder.model.1.block.0.alpha") && model.Has("quantizer.quantizers.0.codebook.weight");
}

// The strides of SIDE.1.block.LAYER, SIDE.2.block.LAYER ..., half of their kernels.
std::vector<int64_t> Strides(const HubShapes& shapes, const std::string& side, const std::string& layer) {
  constexpr int kMostBlocks = 32;
  std::vector<int64_t> strides;
  for (int block = 1; block <= kMostBlocks; ++block) {
    const auto shape = shapes.OfWeight(side + std::to_string(block) + ".block." + layer);
    if (shape[2] == 0) break;
    strides.push_back(shape[2] / 2);
  }
  return strides;
}

DacLayout LayoutOf(const HubModel& model) {
  const HubShapes shapes(model);
  return {.downs = Strides(shapes, "encoder.block.", "4").size(),
          .ups = Strides(shapes, "decoder.model.", "1").size()};
}

Result<nlohmann::json> NativeConfig(const HubModel& model) {
  const HubShapes shapes(model);
  const auto down = Strides(shapes, "encoder.block.", "4"), up = Strides(shapes, "decoder.model.", "1");
  const auto codewords = shapes.Of("quantizer.quantizers.0.codebook.weight");
  const size_t levels = shapes.Count("quantizer.quantizers.", ".codebook.weight");
  nlohmann::json config = {
      {"downsampling_ratios", down},
      {"upsampling_ratios", up},
      {"encoder_hidden_size", shapes.OfWeight("encoder.block.0")[0]},
      {"decoder_hidden_size", shapes.OfWeight("decoder.model.0")[0]},
      {"hidden_size", shapes.OfWeight("encoder.block." + std::to_string(down.size() + 2))[0]},
      {"n_codebooks", levels},
      {"codebook_size", codewords[0]},
      {"codebook_dim", codewords[1]}};
  static const Published kPublished[] = {{{2, 4, 5, 8}, 12, 16000},
                                         {{2, 4, 5, 8}, 32, 24000},
                                         {{2, 4, 8, 8}, 9, 44100},
                                         {{2, 4, 8, 8}, 18, 44100}};  // 16 kbit/s
  nlohmann::json usual = {{"sampling_rate", nullptr}};
  for (const Published& known : kPublished) {
    if (down == known.strides && levels == known.levels) usual["sampling_rate"] = known.rate;
  }
  VQC_TRY(AddUntold(model, usual, config));
  return config;
}

}  // namespace

const Family kDacFamily{
    .name = "DAC",
    .tokenizer = "dac",
    .modality = Modality::kAudio,
    .matches = [](const HubModel& model) { return IsNative(model) || model.Field("model_type") == "dac"; },
    .config = [](const HubModel& model) -> Result<nlohmann::json> {
      if (IsNative(model)) return NativeConfig(model);
      return model.config();
    },
    .fetch =
        [](HubWeights& weights, const std::string& name, const std::vector<int64_t>& shape) {
          const HubModel& model = weights.model();
          return weights.Folded(IsNative(model) ? LayoutOf(model).NameOf(name) : name, shape);
        },
    .ignored = [](std::string_view) { return false; },
};

}  // namespace vqc
