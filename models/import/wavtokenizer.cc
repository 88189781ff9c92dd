// SPDX-License-Identifier: Apache-2.0
// WavTokenizer as its authors publish it (novateur/WavTokenizer), 40 and 75 tokens a second. All sizes follow
// from the shapes of the tensors; its YAML is not needed.
#include <algorithm>
#include <string>

#include "models/import/families.h"

namespace vqc {
namespace {

constexpr std::string_view kEncoder = "feature_extractor.encodec.encoder.model.";
constexpr std::string_view kCodebook = "feature_extractor.encodec.quantizer.vq.layers.0._codebook.embed";
constexpr size_t kMostLayers = 64;

// The name in the checkpoint.
std::string NativeName(const std::string& name) {
  constexpr std::string_view kOurs = "encoder.layers.", kConv = ".conv.";
  if (name == "quantizer.layers.0.codebook.embed") return std::string(kCodebook);
  if (!name.starts_with(kOurs)) return name;
  std::string native = std::string(kEncoder) + name.substr(kOurs.size());
  if (const size_t at = native.find(kConv, kEncoder.size()); at != std::string::npos)
    native.replace(at, kConv.size(), ".conv.conv.");
  return native;
}

class Shapes {
 public:
  explicit Shapes(const HubModel& model) : model_(model) {}

  // Of a weight, in any spelling of weight norm; zeros where there is none.
  std::vector<int64_t> Of(const std::string& name) const {
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
  std::vector<int64_t> OfLayer(size_t number, const char* rest) const {
    return Of(std::string(kEncoder) + std::to_string(number) + rest);
  }
  size_t Count(const std::string& prefix, const std::string& suffix) const {
    size_t count = 0;
    while (count < kMostLayers && model_.Has(prefix + std::to_string(count) + suffix)) ++count;
    return count;
  }

 private:
  const HubModel& model_;
};

// The encoder: layers are residual units, then a step down behind an activation, until no more units come.
Status ReadEncoder(const Shapes& shapes, nlohmann::json& config) {
  const auto first = shapes.OfLayer(0, ".conv.conv");
  config["num_filters"] = first[0];
  config["kernel_size"] = first[2];
  size_t at = 1, units = 0;
  std::vector<int64_t> ratios;
  while (at < kMostLayers && shapes.OfLayer(at, ".block.1.conv.conv")[0] > 0) {
    const auto unit = shapes.OfLayer(at, ".block.1.conv.conv");
    config["residual_kernel_size"] = unit[2];
    config["compress"] = unit[1] / unit[0];
    units = 0;
    while (at < kMostLayers && shapes.OfLayer(at, ".block.1.conv.conv")[0] > 0) ++at, ++units;
    ratios.insert(ratios.begin(), shapes.OfLayer(at + 1, ".conv.conv")[2] / 2);
    at += 2;
  }
  config["num_residual_layers"] = units;
  config["upsampling_ratios"] = ratios;
  const size_t lstm = shapes.Count(std::string(kEncoder) + std::to_string(at) + ".lstm.weight_ih_l", "");
  config["num_lstm_layers"] = lstm;
  const auto last = shapes.OfLayer(at + (lstm > 0 ? 2 : 1), ".conv.conv");
  config["hidden_size"] = last[0];
  config["last_kernel_size"] = last[2];
  config["use_causal_conv"] = false;
  if (first[0] > 0 && last[0] > 0) return {};
  return Error{ErrorCode::kModel, "the layers " + std::string(kEncoder) +
                                      "* are not those of an encoder: no " +
                                      "convolution begins them, or none follows layer " + std::to_string(at)};
}

Result<nlohmann::json> Config(const HubModel& model) {
  const Shapes shapes(model);
  nlohmann::json config;
  VQC_TRY(ReadEncoder(shapes, config));
  const auto codebook = model.tensors().find(std::string(kCodebook));
  if (codebook == model.tensors().end() || codebook->second.shape.size() != 2)
    return Error{ErrorCode::kModel, "tensor " + std::string(kCodebook) +
                                        " is missing or has not two dimensions; get the checkpoint anew"};
  config["codebook_size"] = codebook->second.shape[0];
  const std::string block = "backbone.convnext.";
  config["num_layers"] = shapes.Count(block, ".gamma");
  config["dim"] = shapes.Of("backbone.embed")[0];
  config["intermediate_dim"] = shapes.Of(block + "0.pwconv1")[0];
  config["adanorm_num_embeddings"] = shapes.Of("backbone.norm.scale")[0];
  config["n_fft"] = std::max<int64_t>(shapes.Of("head.out")[0] - 2, 0);
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
          return model.Has(std::string(kEncoder) + "0.conv.conv.bias") && model.Has("head.out.weight");
        },
    .config = &Config,
    .fetch = [](HubWeights& weights, const std::string& name,
                const std::vector<int64_t>& shape) { return weights.Folded(NativeName(name), shape); },
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
