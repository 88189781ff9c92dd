// SPDX-License-Identifier: Apache-2.0
#include "models/nn/magvit2.h"

#include <algorithm>
#include <string>

namespace vqc::nn {
namespace {

constexpr size_t kColours = 3;
constexpr ConvOptions kNoBias = {.bias = false}, kHalve = {.stride = 2, .both_sides = true};

size_t Size(int count) { return static_cast<size_t>(count); }

Result<std::vector<ResnetBlock>> LoadBlocks(const Weights& weights, const std::string& name, size_t in,
                                            size_t out, const Magvit2Config& config) {
  std::vector<ResnetBlock> blocks;
  for (int i = 0; i < config.blocks; ++i) {
    VQC_ASSIGN(auto block, ResnetBlock::Load(weights, name + "." + std::to_string(i), i == 0 ? in : out, out,
                                             Size(config.groups), kNoBias));
    blocks.push_back(std::move(block));
  }
  return blocks;
}

Plane Run(const std::vector<ResnetBlock>& blocks, Plane x, int threads) {
  for (const ResnetBlock& block : blocks) x = block.Apply(std::move(x), threads);
  return x;
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

Result<Magvit2Encoder> Magvit2Encoder::Load(const Weights& weights, const Magvit2Config& config) {
  const size_t last = Size(config.widths.back());
  size_t width = Size(config.stem);
  VQC_ASSIGN(auto in, Conv2d::Load(weights, "encoder.conv_in", kColours, width, 3, kNoBias));
  VQC_ASSIGN(auto norm, GroupNorm::Load(weights, "encoder.norm_out", last, Size(config.groups)));
  VQC_ASSIGN(auto out, Conv2d::Load(weights, "encoder.conv_out", last, Size(config.bits), 1));
  Magvit2Encoder encoder(std::move(in), std::move(norm), std::move(out));
  for (size_t i = 0; i < config.Levels(); ++i) {
    const std::string name = "encoder.down." + std::to_string(i);
    const size_t wide = Size(config.widths[i]);
    Level level;
    VQC_ASSIGN(level.blocks, LoadBlocks(weights, name + ".block", width, wide, config));
    width = wide;
    if (i + 1 < config.Levels()) {
      VQC_ASSIGN(auto down, Conv2d::Load(weights, name + ".downsample", width, width, 3, kHalve));
      level.down.push_back(std::move(down));
    }
    encoder.levels_.push_back(std::move(level));
  }
  VQC_ASSIGN(encoder.middle_, LoadBlocks(weights, "encoder.mid_block", last, last, config));
  return encoder;
}

Plane Magvit2Encoder::Apply(const Plane& pixels, int threads) const {
  Plane x = in_.Apply(pixels, threads);
  for (const Level& level : levels_) {
    x = Run(level.blocks, std::move(x), threads);
    if (!level.down.empty()) x = level.down.front().Apply(x, threads);
  }
  return out_.Apply(norm_.Apply(Run(middle_, std::move(x), threads), true, threads), threads);
}

Result<Magvit2Decoder> Magvit2Decoder::Load(const Weights& weights, const Magvit2Config& config) {
  const size_t groups = Size(config.groups), bits = Size(config.bits), first = Size(config.widths.front());
  size_t width = Size(config.widths.back());
  VQC_ASSIGN(auto in, Conv2d::Load(weights, "decoder.conv_in", bits, width, 3));
  VQC_ASSIGN(auto norm, GroupNorm::Load(weights, "decoder.norm_out", first, groups));
  VQC_ASSIGN(auto out, Conv2d::Load(weights, "decoder.conv_out", first, kColours, 3));
  Magvit2Decoder decoder(std::move(in), std::move(norm), std::move(out));
  VQC_ASSIGN(decoder.middle_, LoadBlocks(weights, "decoder.mid_block", width, width, config));
  for (size_t i = config.Levels(); i-- > 0;) {
    const std::string at = std::to_string(i), name = "decoder.up." + at;
    const size_t wide = Size(config.widths[i]);
    VQC_ASSIGN(auto adaptive,
               AdaptiveGroupNorm::Load(weights, "decoder.adaptive." + at, bits, width, groups));
    Level level{std::move(adaptive), {}, {}};
    VQC_ASSIGN(level.blocks, LoadBlocks(weights, name + ".block", width, wide, config));
    width = wide;
    if (i > 0) {
      VQC_ASSIGN(auto up, Conv2d::Load(weights, name + ".upsample.conv1", width, 4 * width, 3));
      level.up.push_back(std::move(up));
    }
    decoder.levels_.push_back(std::move(level));
  }
  return decoder;
}

Plane Magvit2Decoder::Apply(const Plane& codewords, int threads) const {
  Plane x = Run(middle_, in_.Apply(codewords, threads), threads);
  for (const Level& level : levels_) {
    x = Run(level.blocks, level.norm.Apply(std::move(x), codewords, threads), threads);
    if (!level.up.empty()) x = Spread(level.up.front().Apply(x, threads));
  }
  return out_.Apply(norm_.Apply(std::move(x), true, threads), threads);
}

}  // namespace vqc::nn
