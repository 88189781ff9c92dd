// SPDX-License-Identifier: Apache-2.0
// SNAC (hubertsiuzdak/snac_24khz), whose layers have numbers for names. The noise that its decoder adds is
// left out, so that decoding gives the same sound each time.
#include <cstdlib>

#include "models/import/families.h"

namespace vqc {
namespace {

// What follows the block "SIDE.block.N." of our name, with N; nothing where it is none.
bool Block(const std::string& name, std::string_view side, size_t& number, std::string& rest) {
  const std::string prefix = std::string(side) + ".block.";
  if (!name.starts_with(prefix)) return false;
  char* end = nullptr;
  number = std::strtoul(name.c_str() + prefix.size(), &end, 10);
  rest = end + 1;
  return true;
}

// "res_unit2.conv1.weight" -> "1.block.1.weight" plus `first`.
std::string Unit(const std::string& rest, size_t first) {
  constexpr std::string_view kParts[] = {"snake1", "conv1", "snake2", "conv2"};
  const size_t unit = static_cast<size_t>(rest[8] - '1'), dot = rest.find('.', 10);
  const std::string part = rest.substr(10, dot - 10);
  for (size_t i = 0; i < std::size(kParts); ++i) {
    if (part == kParts[i])
      return std::to_string(first + unit) + ".block." + std::to_string(i) + rest.substr(dot);
  }
  return rest;
}

std::string NativeName(const nlohmann::json& config, const std::string& name) {
  const size_t downs = config["encoder_rates"].size(), ups = config["decoder_rates"].size();
  const size_t noise = config.value("noise", true) ? 1 : 0;
  const auto starts = [&](std::string_view prefix) { return name.starts_with(prefix); };
  const auto after = [&](std::string_view prefix) { return name.substr(prefix.size()); };
  const size_t attention =
      config.contains("attn_window_size") && !config["attn_window_size"].is_null() ? 1 : 0;
  size_t i = 0;
  std::string rest;
  if (Block(name, "encoder", i, rest)) {
    const std::string block = "encoder.block." + std::to_string(i + 1) + ".block.";
    if (rest.starts_with("res_unit")) return block + Unit(rest, 0);
    return block + (rest.starts_with("snake1") ? "3" : "4") + rest.substr(rest.find('.'));
  }
  if (Block(name, "decoder", i, rest)) {
    const std::string block = "decoder.model." + std::to_string(i + 2 + attention) + ".block.";
    if (rest.starts_with("res_unit")) return block + Unit(rest, 2 + noise);
    return block + (rest.starts_with("snake1") ? "0" : "1") + rest.substr(rest.find('.'));
  }
  if (starts("encoder.conv1")) return "encoder.block.0" + after("encoder.conv1");
  if (starts("encoder.conv2"))
    return "encoder.block." + std::to_string(downs + attention + 1) + after("encoder.conv2");
  if (starts("encoder.attention"))
    return "encoder.block." + std::to_string(downs + 1) + after("encoder.attention");
  if (starts("decoder.attention")) return "decoder.model.2" + after("decoder.attention");
  if (starts("decoder.conv1_mix")) return "decoder.model.1" + after("decoder.conv1_mix");
  if (starts("decoder.conv1")) return "decoder.model.0" + after("decoder.conv1");
  if (starts("decoder.snake1"))
    return "decoder.model." + std::to_string(ups + attention + 2) + after("decoder.snake1");
  if (starts("decoder.conv2"))
    return "decoder.model." + std::to_string(ups + attention + 3) + after("decoder.conv2");
  return name;
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
          return weights.Folded(NativeName(weights.model().config(), name), shape);
        },
    .ignored =
        [](std::string_view name) {
          return name.find(".block.2.linear.") != std::string_view::npos ||
                 name.ends_with(".rel_pos.inv_freq");
        },
};

}  // namespace vqc
