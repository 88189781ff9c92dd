// SPDX-License-Identifier: Apache-2.0
#include "models/nn/vqgan.h"

#include <algorithm>
#include <string>
#include <utility>

namespace vqc::nn {
namespace {

size_t Size(int count) { return static_cast<size_t>(count); }

Result<VqganLevel> LoadLevel(const Weights& weights, const std::string& name, size_t in, size_t out,
                             int blocks, bool attention, size_t groups) {
  VqganLevel level;
  for (int i = 0; i < blocks; ++i) {
    VQC_ASSIGN(auto block, ResnetBlock::Load(weights, name + ".block." + std::to_string(i), i == 0 ? in : out,
                                             out, groups));
    level.blocks.push_back(std::move(block));
    if (!attention) continue;
    VQC_ASSIGN(auto after, PlaneAttention::Load(weights, name + ".attn." + std::to_string(i), out, groups));
    level.attention.push_back(std::move(after));
  }
  return level;
}

Result<VqganMiddle> LoadMiddle(const Weights& weights, const std::string& name, size_t width, bool attention,
                               size_t groups) {
  VqganMiddle middle;
  for (const char* block : {".block_1", ".block_2"}) {
    VQC_ASSIGN(auto loaded, ResnetBlock::Load(weights, name + block, width, width, groups));
    middle.blocks.push_back(std::move(loaded));
  }
  if (attention) {
    VQC_ASSIGN(auto loaded, PlaneAttention::Load(weights, name + ".attn_1", width, groups));
    middle.attention.push_back(std::move(loaded));
  }
  return middle;
}

}  // namespace

Plane VqganLevel::Apply(Plane x, int threads) const {
  for (size_t i = 0; i < blocks.size(); ++i) {
    x = blocks[i].Apply(std::move(x), threads);
    if (!attention.empty()) x = attention[i].Apply(std::move(x), threads);
  }
  return x;
}

Plane VqganMiddle::Apply(Plane x, int threads) const {
  x = blocks[0].Apply(std::move(x), threads);
  if (!attention.empty()) x = attention[0].Apply(std::move(x), threads);
  return blocks[1].Apply(std::move(x), threads);
}

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

Result<VqganEncoder> VqganEncoder::Load(const Weights& weights, const VqganConfig& config) {
  const size_t groups = Size(config.groups), last = Size(config.widths.back());
  size_t width = Size(config.stem);
  VQC_ASSIGN(auto in, Conv2d::Load(weights, "encoder.conv_in", config.Colours(), width, 3));
  VQC_ASSIGN(auto norm, GroupNorm::Load(weights, "encoder.norm_out", last, groups));
  VQC_ASSIGN(auto out, Conv2d::Load(weights, "encoder.conv_out", last, Size(config.latents), 3));
  VQC_ASSIGN(auto project, Conv2d::Load(weights, "quant_conv", Size(config.latents), Size(config.dim), 1));
  VqganEncoder encoder(std::move(in), std::move(norm), std::move(out), std::move(project));
  for (size_t i = 0; i < config.Levels(); ++i) {
    const std::string name = "encoder.down." + std::to_string(i);
    const size_t wide = Size(config.widths[i]);
    VQC_ASSIGN(auto level,
               LoadLevel(weights, name, width, wide, config.blocks, config.attention[i] != 0, groups));
    width = wide;
    if (i < Size(config.halvings)) {
      VQC_ASSIGN(auto down, Conv2d::Load(weights, name + ".downsample.conv", width, width, 3, {.stride = 2}));
      level.resize.push_back(std::move(down));
    }
    encoder.levels_.push_back(std::move(level));
  }
  VQC_ASSIGN(encoder.middle_, LoadMiddle(weights, "encoder.mid", last, config.middle_attention, groups));
  return encoder;
}

Plane VqganEncoder::Apply(const Plane& pixels, int threads) const {
  Plane x = in_.Apply(pixels, threads);
  for (const VqganLevel& level : levels_) {
    x = level.Apply(std::move(x), threads);
    if (!level.resize.empty()) x = level.resize.front().Apply(x, threads);
  }
  x = norm_.Apply(middle_.Apply(std::move(x), threads), true, threads);
  return project_.Apply(out_.Apply(x, threads), threads);
}

Result<VqganDecoder> VqganDecoder::Load(const Weights& weights, const VqganConfig& config) {
  const size_t groups = Size(config.groups), first = Size(config.widths.front());
  size_t width = Size(config.widths.back());
  VQC_ASSIGN(auto project,
             Conv2d::Load(weights, "post_quant_conv", Size(config.dim), Size(config.latents), 1));
  VQC_ASSIGN(auto in, Conv2d::Load(weights, "decoder.conv_in", Size(config.latents), width, 3));
  VQC_ASSIGN(auto norm, GroupNorm::Load(weights, "decoder.norm_out", first, groups));
  VQC_ASSIGN(auto out, Conv2d::Load(weights, "decoder.conv_out", first, config.Colours(), 3));
  VqganDecoder decoder(std::move(project), std::move(in), std::move(norm), std::move(out));
  VQC_ASSIGN(decoder.middle_, LoadMiddle(weights, "decoder.mid", width, config.middle_attention, groups));
  for (size_t i = config.Levels(); i-- > 0;) {
    const std::string name = "decoder.up." + std::to_string(i);
    const size_t wide = Size(config.widths[i]);
    VQC_ASSIGN(auto level,
               LoadLevel(weights, name, width, wide, config.blocks + 1, config.attention[i] != 0, groups));
    width = wide;
    if (i + Size(config.halvings) >= config.Levels()) {
      VQC_ASSIGN(auto up, Conv2d::Load(weights, name + ".upsample.conv", width, width, 3));
      level.resize.push_back(std::move(up));
    }
    decoder.levels_.push_back(std::move(level));
  }
  return decoder;
}

Plane VqganDecoder::Apply(const Plane& codewords, int threads) const {
  Plane x = in_.Apply(project_.Apply(codewords, threads), threads);
  x = middle_.Apply(std::move(x), threads);
  for (const VqganLevel& level : levels_) {
    x = level.Apply(std::move(x), threads);
    if (!level.resize.empty()) x = level.resize.front().Apply(Double(x), threads);
  }
  return out_.Apply(norm_.Apply(std::move(x), true, threads), threads);
}

}  // namespace vqc::nn
