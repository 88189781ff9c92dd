// SPDX-License-Identifier: Apache-2.0
#include "models/nn/vqgan.h"

#include <algorithm>
#include <string>

namespace vqc::nn {
namespace {

size_t Size(int count) { return static_cast<size_t>(count); }

// What both sides have at one size.
Status AddLevel(PlaneNetwork& network, const Weights& weights, const std::string& name, size_t in, size_t out,
                int blocks, bool attention, size_t groups) {
  const PlaneMaker& make = PlanesOf(weights);
  for (int i = 0; i < blocks; ++i) {
    const std::string number = std::to_string(i);
    VQC_TRY(network.Add(make.Block(weights, name + ".block." + number, i == 0 ? in : out, out, groups)));
    if (attention) VQC_TRY(network.Add(make.Attention(weights, name + ".attn." + number, out, groups)));
  }
  return {};
}

Status AddMiddle(PlaneNetwork& network, const Weights& weights, const std::string& name, size_t width,
                 bool attention, size_t groups) {
  const PlaneMaker& make = PlanesOf(weights);
  VQC_TRY(network.Add(make.Block(weights, name + ".block_1", width, width, groups)));
  if (attention) VQC_TRY(network.Add(make.Attention(weights, name + ".attn_1", width, groups)));
  return network.Add(make.Block(weights, name + ".block_2", width, width, groups));
}

Status AddWavelets(PlaneNetwork& network, const Weights& weights, const VqganConfig& config, PlaneMove move) {
  for (int size = 1; size < config.patch; size *= 2) VQC_TRY(network.Add(PlanesOf(weights).Move(move)));
  return {};
}

}  // namespace

VqganConfig VqganConfig::Read(ConfigFields& fields) {
  VqganConfig config;
  config.widths = fields.List("widths", 1, 4096, config.widths);
  config.attention = fields.List("attention", 0, 1, std::vector<int>(config.widths.size()));
  config.middle_attention = fields.Flag("middle_attention", config.middle_attention);
  config.blocks = fields.Whole("blocks", 1, 16, config.blocks);
  config.latents = fields.Whole("latents", 1, 4096, config.latents);
  config.dim = fields.Whole("dim", 1, 1024, config.dim);
  config.groups = fields.Whole("groups", 1, 1024, config.groups);
  const bool whole = std::all_of(config.widths.begin(), config.widths.end(),
                                 [&](int width) { return width % config.groups == 0; });
  if (!whole)
    fields.Refuse("\"widths\" are not multiples of the " + std::to_string(config.groups) +
                  " groups of the norms");
  if (config.attention.size() != config.widths.size() || config.widths.size() > 8)
    fields.Refuse("\"widths\" must have 1 to 8 sizes, and \"attention\" as many");
  config.stem = config.widths.front();
  config.halvings = static_cast<int>(config.widths.size()) - 1;
  return config;
}

VqganConfig VqganConfig::ReadPatched(ConfigFields& fields) {
  VqganConfig config = Read(fields);
  config.patch = fields.Whole("patch", 1, 8, config.patch);
  config.stem = fields.Whole("stem", 1, 4096, config.stem);
  config.halvings = fields.Whole("halvings", 0, 8, config.halvings);
  if ((config.patch & (config.patch - 1)) != 0) fields.Refuse("\"patch\" is not a power of 2");
  if (config.stem % config.groups != 0)
    fields.Refuse("\"stem\" is not a multiple of the " + std::to_string(config.groups) +
                  " groups of the norms");
  if (config.halvings > static_cast<int>(config.widths.size()))
    fields.Refuse("\"halvings\" are more than there are \"widths\"");
  return config;
}

Result<PlaneNetwork> LoadVqganEncoder(const Weights& weights, const VqganConfig& config) {
  const PlaneMaker& make = PlanesOf(weights);
  const size_t groups = Size(config.groups), last = Size(config.widths.back()),
               latents = Size(config.latents);
  size_t width = Size(config.stem);
  PlaneNetwork network;
  VQC_TRY(AddWavelets(network, weights, config, PlaneMove::kHaarSplit));
  VQC_TRY(network.Add(make.Conv(weights, "encoder.conv_in", config.Colours(), width, 3)));
  for (size_t i = 0; i < config.Levels(); ++i) {
    const std::string name = "encoder.down." + std::to_string(i);
    const size_t wide = Size(config.widths[i]);
    VQC_TRY(AddLevel(network, weights, name, width, wide, config.blocks, config.attention[i] != 0, groups));
    width = wide;
    if (i < Size(config.halvings))
      VQC_TRY(network.Add(make.Conv(weights, name + ".downsample.conv", width, width, 3, {.stride = 2})));
  }
  VQC_TRY(AddMiddle(network, weights, "encoder.mid", last, config.middle_attention, groups));
  VQC_TRY(network.Add(make.Norm(weights, "encoder.norm_out", last, groups)));
  VQC_TRY(network.Add(make.Conv(weights, "encoder.conv_out", last, latents, 3)));
  VQC_TRY(network.Add(make.Conv(weights, "quant_conv", latents, Size(config.dim), 1)));
  return network;
}

Result<PlaneNetwork> LoadVqganDecoder(const Weights& weights, const VqganConfig& config) {
  const PlaneMaker& make = PlanesOf(weights);
  const size_t groups = Size(config.groups), first = Size(config.widths.front()),
               latents = Size(config.latents);
  size_t width = Size(config.widths.back());
  PlaneNetwork network;
  VQC_TRY(network.Add(make.Conv(weights, "post_quant_conv", Size(config.dim), latents, 1)));
  VQC_TRY(network.Add(make.Conv(weights, "decoder.conv_in", latents, width, 3)));
  VQC_TRY(AddMiddle(network, weights, "decoder.mid", width, config.middle_attention, groups));
  for (size_t i = config.Levels(); i-- > 0;) {
    const std::string name = "decoder.up." + std::to_string(i);
    const size_t wide = Size(config.widths[i]);
    VQC_TRY(
        AddLevel(network, weights, name, width, wide, config.blocks + 1, config.attention[i] != 0, groups));
    width = wide;
    if (i + Size(config.halvings) < config.Levels()) continue;
    VQC_TRY(network.Add(make.Move(PlaneMove::kDouble)));
    VQC_TRY(network.Add(make.Conv(weights, name + ".upsample.conv", width, width, 3)));
  }
  VQC_TRY(network.Add(make.Norm(weights, "decoder.norm_out", first, groups)));
  VQC_TRY(network.Add(make.Conv(weights, "decoder.conv_out", first, config.Colours(), 3)));
  VQC_TRY(AddWavelets(network, weights, config, PlaneMove::kHaarJoin));
  return network;
}

}  // namespace vqc::nn
