// SPDX-License-Identifier: Apache-2.0
// SNAC (hubertsiuzdak/snac_24khz), whose layers have numbers for names. The noise that its decoder adds is
// left out, so that decoding gives the same sound each time.
#include "models/import/dac_layout.h"
#include "models/import/families.h"

namespace vqc {
namespace {

DacLayout LayoutOf(const nlohmann::json& config) {
  return {.downs = config["encoder_rates"].size(),
          .ups = config["decoder_rates"].size(),
          .snac = true,
          .attention = config.contains("attn_window_size") && !config["attn_window_size"].is_null(),
          .noise = config.value("noise", true)};
}

bool IsList(const nlohmann::json& config, const char* field) {
  return config.contains(field) && config[field].is_array();
}

Result<nlohmann::json> Config(const HubModel& model) {
  const nlohmann::json& given = model.config();
  if (given.contains("depthwise") && given["depthwise"] != true)
    return Error{ErrorCode::kModel, "\"depthwise\" is not true; only depthwise SNAC is supported"};
  nlohmann::json config;
  constexpr std::pair<const char*, const char*> kRenamed[] = {
      {"sampling_rate", "sampling_rate"},       {"encoder_dim", "encoder_hidden_size"},
      {"decoder_dim", "decoder_hidden_size"},   {"latent_dim", "hidden_size"},
      {"encoder_rates", "downsampling_ratios"}, {"decoder_rates", "upsampling_ratios"},
      {"codebook_size", "codebook_size"},       {"codebook_dim", "codebook_dim"},
      {"attn_window_size", "attn_window_size"}, {"vq_strides", "vq_strides"}};
  for (const auto& [theirs, ours] : kRenamed) {
    if (given.contains(theirs)) config[ours] = given[theirs];
  }
  return config;
}

}  // namespace

const Family kSnacFamily{
    .name = "SNAC",
    .tokenizer = "snac",
    .modality = Modality::kAudio,
    .matches =
        [](const HubModel& model) {
          return IsList(model.config(), "vq_strides") && IsList(model.config(), "encoder_rates") &&
                 IsList(model.config(), "decoder_rates");
        },
    .config = &Config,
    .fetch =
        [](HubWeights& weights, const std::string& name, const std::vector<int64_t>& shape) {
          return weights.Folded(LayoutOf(weights.model().config()).NameOf(name), shape);
        },
    .ignored =
        [](std::string_view name) {
          return name.find(".block.2.linear.") != std::string_view::npos ||
                 name.ends_with(".rel_pos.inv_freq");
        },
};

}  // namespace vqc
