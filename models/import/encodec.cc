// SPDX-License-Identifier: Apache-2.0
// EnCodec as transformers publishes it (facebook/encodec_24khz), and as its authors do (encodec_24khz-*.th
// and the like, once it is a safetensors file).
#include "models/import/families.h"
#include "models/import/seanet_layout.h"

namespace vqc {
namespace {

constexpr char kFirst[] = "encoder.model.0.conv.conv", kLayers[] = "quantizer.vq.layers.";

// What no shape tells of the published networks, which their sizes tell apart.
struct Published {
  int channels, filters, entries;
  std::vector<int> ratios;
  int rate;
  bool causal;
};

bool IsNative(const HubModel& model) {
  return model.Has(std::string(kLayers) + "0._codebook.embed") && HubShapes(model).OfWeight(kFirst)[0] > 0;
}

Result<nlohmann::json> NativeConfig(const HubModel& model) {
  const HubShapes shapes(model);
  nlohmann::json config;
  VQC_TRY(SeanetLayout(model).Read(config));
  const auto codewords = shapes.Of(std::string(kLayers) + "0._codebook.embed");
  config["codebook_size"] = codewords[0];
  config["codebook_dim"] = codewords[1];
  config["levels"] = shapes.Count(kLayers, "._codebook.embed");
  const int64_t channels = shapes.OfWeight(kFirst)[1];
  config["audio_channels"] = channels;
  const bool whole_norm = model.Has("encoder.model.0.conv.norm.weight");
  config["norm_type"] = whole_norm ? "time_group_norm" : "weight_norm";

  static const Published kPublished[] = {{1, 32, 1024, {8, 5, 4, 2}, 24000, true},
                                         {1, 64, 2048, {8, 5, 4, 4}, 32000, false},
                                         {2, 32, 1024, {8, 5, 4, 2}, 48000, false}};
  nlohmann::json usual = {{"sampling_rate", nullptr},
                          {"use_causal_conv", nullptr},
                          {"dilation_growth_rate", 2},
                          {"pad_mode", "reflect"}};
  if (whole_norm) usual.update({{"normalize", true}, {"chunk_length_s", 1.0}, {"overlap", 0.01}});
  for (const Published& known : kPublished) {
    if (channels != known.channels || config["num_filters"] != known.filters ||
        config["codebook_size"] != known.entries || config["upsampling_ratios"] != known.ratios)
      continue;
    usual["sampling_rate"] = known.rate;
    usual["use_causal_conv"] = known.causal;
  }
  VQC_TRY(AddUntold(model, usual, config));
  return config;
}

std::string NativeName(const HubModel& model, const std::string& name) {
  constexpr std::string_view kOurs = "quantizer.layers.", kCodebook = ".codebook.";
  if (!name.starts_with(kOurs)) return SeanetLayout(model).NameOf(name);
  std::string native = kLayers + name.substr(kOurs.size());
  if (const size_t at = native.find(kCodebook); at != std::string::npos)
    native.replace(at, kCodebook.size(), "._codebook.");
  return native;
}

}  // namespace

const Family kEncodecFamily{
    .name = "EnCodec",
    .tokenizer = "encodec",
    .modality = Modality::kAudio,
    .matches =
        [](const HubModel& model) { return IsNative(model) || model.Field("model_type") == "encodec"; },
    .config = [](const HubModel& model) -> Result<nlohmann::json> {
      if (IsNative(model)) return NativeConfig(model);
      return model.config();
    },
    .fetch =
        [](HubWeights& weights, const std::string& name, const std::vector<int64_t>& shape) {
          const bool native = IsNative(weights.model());
          return weights.Folded(native ? NativeName(weights.model(), name) : name, shape);
        },
    .ignored =
        [](std::string_view name) {
          return name.starts_with("quantizer.") &&
                 (name.ends_with("codebook.inited") || name.ends_with("codebook.cluster_size") ||
                  name.ends_with("codebook.embed_avg"));
        },
};

}  // namespace vqc
