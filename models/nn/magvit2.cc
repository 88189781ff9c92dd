// SPDX-License-Identifier: Apache-2.0
#include "models/nn/magvit2.h"

#include <algorithm>
#include <string>

namespace vqc::nn {
namespace {

constexpr size_t kColours = 3;
constexpr ConvOptions kNoBias = {.bias = false}, kHalve = {.stride = 2, .both_sides = true};

size_t Size(int count) { return static_cast<size_t>(count); }

Status AddBlocks(PlaneNetwork& network, const Weights& weights, const std::string& name, size_t in,
                 size_t out, const Magvit2Config& config) {
  for (int i = 0; i < config.blocks; ++i) {
    VQC_TRY(network.Add(PlanesOf(weights).Block(weights, name + "." + std::to_string(i), i == 0 ? in : out,
                                                out, Size(config.groups), kNoBias)));
  }
  return {};
}

}  // namespace

Magvit2Config Magvit2Config::Read(ConfigFields& fields) {
  Magvit2Config config;
  config.stem = fields.Whole("stem", 1, 4096, config.stem);
  config.widths = fields.List("widths", 1, 4096, config.widths);
  config.blocks = fields.Whole("blocks", 1, 16, config.blocks);
  config.bits = fields.Whole("bits", 1, 20, config.bits);
  config.groups = fields.Whole("groups", 1, 1024, config.groups);
  const auto whole = [&](int width) { return width % config.groups == 0; };
  if (!whole(config.stem) || !std::all_of(config.widths.begin(), config.widths.end(), whole))
    fields.Refuse("\"stem\" and \"widths\" are not multiples of the " + std::to_string(config.groups) +
                  " groups of the norms");
  if (config.widths.size() > 8) fields.Refuse("\"widths\" must have 1 to 8 sizes");
  return config;
}

Result<PlaneNetwork> LoadMagvit2Encoder(const Weights& weights, const Magvit2Config& config) {
  const PlaneMaker& make = PlanesOf(weights);
  const size_t last = Size(config.widths.back());
  size_t width = Size(config.stem);
  PlaneNetwork network;
  VQC_TRY(network.Add(make.Conv(weights, "encoder.conv_in", kColours, width, 3, kNoBias)));
  for (size_t i = 0; i < config.Levels(); ++i) {
    const std::string name = "encoder.down." + std::to_string(i);
    const size_t wide = Size(config.widths[i]);
    VQC_TRY(AddBlocks(network, weights, name + ".block", width, wide, config));
    width = wide;
    if (i + 1 < config.Levels())
      VQC_TRY(network.Add(make.Conv(weights, name + ".downsample", width, width, 3, kHalve)));
  }
  VQC_TRY(AddBlocks(network, weights, "encoder.mid_block", last, last, config));
  VQC_TRY(network.Add(make.Norm(weights, "encoder.norm_out", last, Size(config.groups))));
  VQC_TRY(network.Add(make.Conv(weights, "encoder.conv_out", last, Size(config.bits), 1)));
  return network;
}

Result<PlaneNetwork> LoadMagvit2Decoder(const Weights& weights, const Magvit2Config& config) {
  const PlaneMaker& make = PlanesOf(weights);
  const size_t groups = Size(config.groups), bits = Size(config.bits), first = Size(config.widths.front());
  size_t width = Size(config.widths.back());
  PlaneNetwork network;
  VQC_TRY(network.Add(make.Conv(weights, "decoder.conv_in", bits, width, 3)));
  VQC_TRY(AddBlocks(network, weights, "decoder.mid_block", width, width, config));
  for (size_t i = config.Levels(); i-- > 0;) {
    const std::string at = std::to_string(i), name = "decoder.up." + at;
    const size_t wide = Size(config.widths[i]);
    VQC_TRY(network.Add(make.AdaptiveNorm(weights, "decoder.adaptive." + at, bits, width, groups)));
    VQC_TRY(AddBlocks(network, weights, name + ".block", width, wide, config));
    width = wide;
    if (i == 0) continue;
    VQC_TRY(network.Add(make.Conv(weights, name + ".upsample.conv1", width, 4 * width, 3)));
    VQC_TRY(network.Add(make.Move(PlaneMove::kSpread)));
  }
  VQC_TRY(network.Add(make.Norm(weights, "decoder.norm_out", first, groups)));
  VQC_TRY(network.Add(make.Conv(weights, "decoder.conv_out", first, kColours, 3)));
  return network;
}

}  // namespace vqc::nn
