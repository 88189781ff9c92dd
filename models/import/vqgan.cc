// SPDX-License-Identifier: Apache-2.0
// VQGAN in three spellings: taming-transformers', LlamaGen's and diffusers'. The sizes follow from the shapes
// of the tensors, so that no config is needed.
#include <cmath>
#include <string>

#include "base/printable.h"
#include "models/import/families.h"
#include "models/import/picture_shapes.h"

namespace vqc {
namespace {

using Rename = PictureShapes::Rename;

std::string Replaced(std::string text, std::string_view from, std::string_view to) {
  if (const size_t at = text.find(from); at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}

// "SIDE.LEVEL.REST" -> `side` and the level counted from the other end where `reversed`.
std::string MoveLevel(const std::string& name, std::string_view side, std::string_view to, size_t levels,
                      bool reversed) {
  if (!name.starts_with(side)) return name;
  const size_t at = side.size(), level = static_cast<size_t>(name[at] - '0');
  return std::string(to) + std::to_string(reversed ? levels - 1 - level : level) + name.substr(at + 1);
}

std::string LlamaGenName(const std::string& name, size_t levels) {
  std::string text = MoveLevel(name, "encoder.down.", "encoder.conv_blocks.", levels, false);
  text = MoveLevel(text, "decoder.up.", "decoder.conv_blocks.", levels, true);
  text = Replaced(text, ".block.", ".res.");
  text = Replaced(text, ".mid.block_1.", ".mid.0.");
  text = Replaced(text, ".mid.attn_1.", ".mid.1.");
  return Replaced(text, ".mid.block_2.", ".mid.2.");
}

std::string DiffusersName(const std::string& name, size_t levels) {
  std::string text = MoveLevel(name, "encoder.down.", "encoder.down_blocks.", levels, false);
  text = MoveLevel(text, "decoder.up.", "decoder.up_blocks.", levels, true);
  constexpr std::string_view kParts[][2] = {
      {".block.", ".resnets."},
      {".attn.", ".attentions."},
      {".mid.block_1.", ".mid_block.resnets.0."},
      {".mid.attn_1.", ".mid_block.attentions.0."},
      {".mid.block_2.", ".mid_block.resnets.1."},
      {".downsample.conv", ".downsamplers.0.conv"},
      {".upsample.conv", ".upsamplers.0.conv"},
      {".nin_shortcut.", ".conv_shortcut."},
      {".norm_out.", ".conv_norm_out."},
  };
  for (const auto& [from, to] : kParts) text = Replaced(text, from, to);
  if (text.find(".attentions.") == std::string::npos) return text;
  constexpr std::string_view kAttention[][2] = {{".norm.", ".group_norm."},
                                                {".q.", ".to_q."},
                                                {".k.", ".to_k."},
                                                {".v.", ".to_v."},
                                                {".proj_out.", ".to_out.0."}};
  for (const auto& [from, to] : kAttention) text = Replaced(text, from, to);
  return text;
}

template <Rename rename>
Result<std::vector<float>> Fetch(HubWeights& weights, const std::string& name,
                                 const std::vector<int64_t>& shape) {
  const std::string theirs = rename(name, PictureShapes(weights.model(), rename).levels());
  // Attention of diffusers has matrices where the others have convolutions of one tap.
  const auto found = weights.model().tensors().find(theirs);
  const bool matrix = found != weights.model().tensors().end() && found->second.shape.size() == 2 &&
                      shape.size() == 4 && shape[2] == 1 && shape[3] == 1;
  return weights.Plain(theirs, matrix ? std::vector<int64_t>{shape[0], shape[1]} : shape);
}

// LlamaGen compares and decodes codewords of length 1.
Result<std::vector<float>> FetchLlamaGen(HubWeights& weights, const std::string& name,
                                         const std::vector<int64_t>& shape) {
  VQC_ASSIGN(auto values, Fetch<&LlamaGenName>(weights, name, shape));
  if (name != "quantize.embedding.weight") return values;
  const auto dim = static_cast<size_t>(shape[1]);
  for (size_t at = 0; at < values.size(); at += dim) {
    double squares = 0;
    for (size_t d = 0; d < dim; ++d) squares += double{values[at + d]} * double{values[at + d]};
    const double length = std::max(std::sqrt(squares), 1e-12);
    for (size_t d = 0; d < dim; ++d) values[at + d] = static_cast<float>(values[at + d] / length);
  }
  return values;
}

Result<nlohmann::json> ConfigOf(const PictureShapes& shapes, const HubModel& model, int groups) {
  VQC_ASSIGN(auto config, shapes.VqganFields(groups));
  VQC_ASSIGN(config["entries"], FirstSize(model, "quantize.embedding.weight"));
  return config;
}

Result<nlohmann::json> DiffusersConfig(const HubModel& model) {
  const nlohmann::json& config = model.config();
  for (const auto& [field, value] : {std::pair<const char*, nlohmann::json>{"act_fn", "silu"},
                                     {"norm_type", "group"},
                                     {"in_channels", 3},
                                     {"out_channels", 3}}) {
    if (config.contains(field) && config[field] != value) {
      return Error{ErrorCode::kModel, std::string("field \"") + field + "\" of the config is " +
                                          Printable(config[field].dump(), 64) + "; only " + value.dump() +
                                          " is supported"};
    }
  }
  const auto groups = config.find("norm_num_groups");
  const bool given = groups != config.end() && groups->is_number_integer() && *groups >= 1 && *groups <= 1024;
  return ConfigOf(PictureShapes(model, &DiffusersName), model, given ? groups->get<int>() : kUsualGroups);
}

}  // namespace

const Family kTamingFamily{
    .name = "VQGAN",
    .tokenizer = "vqgan",
    .modality = Modality::kImage,
    .matches = [](const HubModel& model) { return model.Has("encoder.down.0.block.0.conv1.weight"); },
    .config =
        [](const HubModel& model) { return ConfigOf(PictureShapes(model, &OwnName), model, kUsualGroups); },
    .fetch = &Fetch<&OwnName>,
    .ignored = [](std::string_view name) { return name.starts_with("loss."); },
};

const Family kLlamaGenFamily{
    .name = "LlamaGen",
    .tokenizer = "vqgan",
    .modality = Modality::kImage,
    .matches = [](const HubModel& model) { return model.Has("encoder.conv_blocks.0.res.0.conv1.weight"); },
    .config = [](const HubModel& model) -> Result<nlohmann::json> {
      VQC_ASSIGN(auto config, ConfigOf(PictureShapes(model, &LlamaGenName), model, kUsualGroups));
      config["cosine"] = true;
      return config;
    },
    .fetch = &FetchLlamaGen,
    .ignored = [](std::string_view name) { return name == "quantize.codebook_used"; },
};

const Family kVqModelFamily{
    .name = "VQModel",
    .tokenizer = "vqgan",
    .modality = Modality::kImage,
    .matches = [](const HubModel& model) { return model.Field("_class_name") == "VQModel"; },
    .config = &DiffusersConfig,
    .fetch = &Fetch<&DiffusersName>,
    .ignored = [](std::string_view) { return false; },
};

}  // namespace vqc
