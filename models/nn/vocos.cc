// SPDX-License-Identifier: Apache-2.0
#include "models/nn/vocos.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "base/kernels/kernels.h"
#include "models/nn/istft_head.h"
#include "models/nn/layer_maker.h"
#include "models/nn/plane_layers.h"
#include "models/nn/row_blocks.h"
#include "models/nn/stream_conv.h"

namespace vqc::nn {
namespace {

using audio::Linear;
using audio::NormWeights;

constexpr size_t kKernel = 7, kSide = kKernel / 2;
constexpr size_t kGroups = 32;
constexpr float kEpsilon = 1e-6f;

Result<NormWeights> LoadPlainNorm(const Weights& weights, const std::string& name, size_t width) {
  NormWeights norm;
  norm.epsilon = kEpsilon;
  VQC_ASSIGN(norm.weight, weights(name + ".weight", {static_cast<int64_t>(width)}));
  VQC_ASSIGN(norm.bias, weights(name + ".bias", {static_cast<int64_t>(width)}));
  return norm;
}

// A norm whose scale and shift are rows of tables.
Result<NormWeights> LoadNormOf(const Weights& weights, const std::string& name, const VocosConfig& config) {
  const auto width = static_cast<size_t>(config.width);
  if (config.conditions == 0) return LoadPlainNorm(weights, name, width);
  const std::vector<int64_t> shape = {config.conditions, config.width};
  VQC_ASSIGN(const auto scale, weights(name + ".scale.weight", shape));
  VQC_ASSIGN(const auto shift, weights(name + ".shift.weight", shape));
  const auto first = static_cast<ptrdiff_t>(static_cast<size_t>(config.condition) * width),
             end = first + static_cast<ptrdiff_t>(width);
  return NormWeights{
      {scale.begin() + first, scale.begin() + end}, {shift.begin() + first, shift.begin() + end}, kEpsilon};
}

LayerPtr MakeNorm(const Weights& weights, NormWeights norm) {
  if (weights.Maker()) return weights.Maker()->Norm(norm);
  return MakePointwise([norm = std::move(norm)](std::vector<float>& x) { x = norm.Apply(x); });
}

// scale * narrow(gelu(widen(norm(x)))).
Result<LayerPtr> LoadPointConvs(const Weights& weights, const std::string& name, const VocosConfig& config) {
  const auto width = static_cast<size_t>(config.width), inner = static_cast<size_t>(config.inner);
  VQC_ASSIGN(auto norm, LoadNormOf(weights, name + ".norm", config));
  if (weights.Maker()) return weights.Maker()->PointConvs(weights, name, norm, inner);
  VQC_ASSIGN(auto widen, Linear::Load(weights, name + ".pwconv1", width, inner));
  VQC_ASSIGN(auto narrow, Linear::Load(weights, name + ".pwconv2", inner, width));
  VQC_ASSIGN(auto scale, weights(name + ".gamma", {config.width}));
  return MakePointwise([norm = std::move(norm), widen = std::move(widen), narrow = std::move(narrow),
                        scale = std::move(scale)](std::vector<float>& x) {
    const size_t rows = x.size() / scale.size();
    auto hidden = widen.Apply(norm.Apply(x).data(), rows);
    audio::Gelu(hidden.data(), hidden.size());
    x = narrow.Apply(hidden.data(), rows);
    for (size_t i = 0; i < x.size(); ++i) x[i] *= scale[i % scale.size()];
  });
}

// x + the above of a depthwise convolution (Liu et al. 2022, arXiv 2201.03545).
Result<LayerPtr> LoadConvNext(const Weights& weights, const std::string& name, const VocosConfig& config) {
  const auto width = static_cast<size_t>(config.width);
  ConvShape shape = ConvShape::Centred(width, width, kKernel);
  shape.depthwise = true;
  VQC_ASSIGN(auto conv, LoadConv(weights, name + ".dwconv", shape));
  VQC_ASSIGN(auto points, LoadPointConvs(weights, name, config));
  auto chain = std::make_unique<Chain>();
  chain->Add(std::move(conv));
  chain->Add(std::move(points));
  return LayerPtr(std::make_unique<Residual>(std::move(chain)));
}

// What sees the whole of a block.
struct Context {
  ResnetBlock first, second;
  PlaneAttention attention;
  ResnetBlock third, fourth;
  GroupNorm norm;

  std::vector<float> Apply(std::vector<float> rows, size_t width) const {
    Plane x(1, rows.size() / width, width);
    x.data = std::move(rows);
    x = attention.Apply(second.Apply(first.Apply(std::move(x), 1), 1), 1);
    x = fourth.Apply(third.Apply(std::move(x), 1), 1);
    return norm.Apply(std::move(x), false, 1).data;
  }
};

Result<LayerPtr> LoadContext(const Weights& weights, const std::string& name, const VocosConfig& config) {
  const auto width = static_cast<size_t>(config.width);
  if (weights.Maker()) return weights.Maker()->SoundContext(weights, name, width, kGroups);
  const auto block = [&](const char* number) {
    return ResnetBlock::Load(weights, name + number, width, width, kGroups, {.line = true});
  };
  VQC_ASSIGN(auto first, block(".0"));
  VQC_ASSIGN(auto second, block(".1"));
  VQC_ASSIGN(auto attention, PlaneAttention::Load(weights, name + ".2", width, kGroups, {.line = true}));
  VQC_ASSIGN(auto third, block(".3"));
  VQC_ASSIGN(auto fourth, block(".4"));
  VQC_ASSIGN(auto norm, GroupNorm::Load(weights, name + ".5", width, kGroups));
  auto context =
      std::make_shared<const Context>(Context{std::move(first), std::move(second), std::move(attention),
                                              std::move(third), std::move(fourth), std::move(norm)});
  return MakeRowBlocks(
      width, static_cast<size_t>(config.block_rows), static_cast<size_t>(config.halo_rows),
      [context, width](std::vector<float> rows) { return context->Apply(std::move(rows), width); });
}

}  // namespace

VocosConfig VocosConfig::Read(ConfigFields& fields, int hop) {
  VocosConfig config;
  config.width = fields.Whole("dim", 32, 8192, config.width);
  config.inner = fields.Whole("intermediate_dim", 1, 32768, config.inner);
  config.layers = fields.Whole("num_layers", 1, 64, config.layers);
  config.conditions = fields.Whole("adanorm_num_embeddings", 0, 1024, config.conditions);
  config.condition = fields.Whole("bandwidth_id", 0, std::max(config.conditions - 1, 0), config.condition);
  config.frame = fields.Whole("n_fft", 2, 16384, config.frame);
  config.block_rows = fields.Whole("block_rows", 1, 65536, config.block_rows);
  config.halo_rows = fields.Whole("halo_rows", 0, 65536, config.halo_rows);
  if (config.width % static_cast<int>(kGroups) != 0)
    fields.Refuse("\"dim\" is " + std::to_string(config.width) + ", not a multiple of " +
                  std::to_string(kGroups));
  if (config.frame % 2 != 0 || config.frame <= hop || (config.frame - hop) % 2 != 0)
    fields.Refuse("\"n_fft\" is " + std::to_string(config.frame) + "; it must be even, and more than the " +
                  std::to_string(hop) + " samples of a token by an even number");
  return config;
}

size_t VocosConfig::Ahead(size_t hop) const {
  const auto rows = static_cast<size_t>(block_rows) + static_cast<size_t>(halo_rows) +
                    (1 + static_cast<size_t>(layers)) * kSide;
  return rows * hop + (static_cast<size_t>(frame) - hop) / 2;
}

Result<LayerPtr> LoadVocos(const Weights& weights, const VocosConfig& config, size_t in, size_t hop) {
  const auto width = static_cast<size_t>(config.width);
  auto chain = std::make_unique<Chain>();
  VQC_ASSIGN(auto embed, LoadConv(weights, "backbone.embed", ConvShape::Centred(in, width, kKernel)));
  chain->Add(std::move(embed));
  VQC_ASSIGN(auto context, LoadContext(weights, "backbone.pos_net", config));
  chain->Add(std::move(context));
  VQC_ASSIGN(auto norm, LoadNormOf(weights, "backbone.norm", config));
  chain->Add(MakeNorm(weights, std::move(norm)));
  for (int i = 0; i < config.layers; ++i) {
    VQC_ASSIGN(auto block, LoadConvNext(weights, "backbone.convnext." + std::to_string(i), config));
    chain->Add(std::move(block));
  }
  VQC_ASSIGN(auto last, LoadPlainNorm(weights, "backbone.final_layer_norm", width));
  chain->Add(MakeNorm(weights, std::move(last)));
  VQC_ASSIGN(auto head, LoadIstftHead(weights, "head.out", width, static_cast<size_t>(config.frame), hop));
  chain->Add(std::move(head));
  return LayerPtr(std::move(chain));
}

}  // namespace vqc::nn
