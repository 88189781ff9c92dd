// SPDX-License-Identifier: Apache-2.0
// WavTokenizer as its authors publish it (novateur/WavTokenizer), 40 and 75 tokens a second. All sizes follow
// from the shapes of the tensors; its YAML is not needed.
#include <algorithm>
#include <string>

#include "models/import/families.h"
#include "models/import/seanet_layout.h"

namespace vqc {
namespace {

constexpr char kEncodec[] = "feature_extractor.encodec.",
               kCodebook[] = "feature_extractor.encodec.quantizer.vq.layers.0._codebook.embed";

// The name in the checkpoint.
std::string NativeName(const HubModel& model, const std::string& name) {
  if (name == "quantizer.layers.0.codebook.embed") return kCodebook;
  return SeanetLayout(model, kEncodec).NameOf(name);
}

Result<nlohmann::json> Config(const HubModel& model) {
  const HubShapes shapes(model);
  nlohmann::json config = {{"use_causal_conv", false}};
  VQC_TRY(SeanetLayout(model, kEncodec).Read(config));
  const auto codebook = model.tensors().find(kCodebook);
  if (codebook == model.tensors().end() || codebook->second.shape.size() != 2)
    return Error{ErrorCode::kModel, std::string("tensor ") + kCodebook +
                                        " is missing or has not two dimensions; get the checkpoint anew"};
  config["codebook_size"] = codebook->second.shape[0];
  const std::string block = "backbone.convnext.";
  config["num_layers"] = shapes.Count(block, ".gamma");
  config["dim"] = shapes.OfWeight("backbone.embed")[0];
  config["intermediate_dim"] = shapes.OfWeight(block + "0.pwconv1")[0];
  config["adanorm_num_embeddings"] = shapes.OfWeight("backbone.norm.scale")[0];
  config["n_fft"] = std::max<int64_t>(shapes.OfWeight("head.out")[0] - 2, 0);
  for (const char* field :
       {"sampling_rate", "bandwidth_id", "dilation_growth_rate", "block_rows", "halo_rows"}) {
    if (const auto found = model.config().find(field); found != model.config().end()) config[field] = *found;
  }
  return config;
}

}  // namespace

const Family kWavTokenizerFamily{
    .name = "WavTokenizer",
    .tokenizer = "wavtokenizer",
    .modality = Modality::kAudio,
    .matches =
        [](const HubModel& model) {
          return model.Has("feature_extractor.encodec.encoder.model.0.conv.conv.bias") &&
                 model.Has("head.out.weight");
        },
    .config = &Config,
    .fetch =
        [](HubWeights& weights, const std::string& name, const std::vector<int64_t>& shape) {
          return weights.Folded(NativeName(weights.model(), name), shape);
        },
    .ignored =
        [](std::string_view name) {
          constexpr std::string_view kQuantizer = "feature_extractor.encodec.quantizer.";
          const bool network = name.starts_with("feature_extractor.") || name.starts_with("backbone.") ||
                               name.starts_with("head.");
          return !network || name.starts_with("feature_extractor.encodec.decoder.") ||
                 name == "head.istft.window" ||
                 (name.starts_with(kQuantizer) &&
                  (name.ends_with(".inited") || name.ends_with(".cluster_size") ||
                   name.ends_with(".embed_avg")));
        },
};

}  // namespace vqc
