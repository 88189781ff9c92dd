// SPDX-License-Identifier: Apache-2.0
#include "models/nn/tensor_attention.h"

#include <torch/torch.h>

#include <utility>
#include <vector>

#include "models/nn/attention.h"
#include "models/nn/tensor_layer.h"
#include "models/nn/tensor_rows.h"
#include "models/nn/window_attention.h"

namespace vqc::nn {
namespace {

using at::Tensor;

constexpr double kRopeBase = 10000;  // of models/nn/window_attention.cc

// [B, T, parts * heads * dim] -> parts of [B, heads, T, dim].
std::vector<Tensor> Heads(const Tensor& x, int64_t parts, int64_t heads) {
  return x.view({x.size(0), x.size(1), parts, heads, -1}).permute({2, 0, 3, 1, 4}).unbind(0);
}

// [B, heads, T, dim] -> [B, T, heads * dim].
Tensor Joined(const Tensor& x) { return x.transpose(1, 2).flatten(2); }

// Each of T rows sees itself and those before it, `window` in all: blocks of `window` rows look at themselves
// and at the block before, so that memory grows with T alone. [B, heads, T, dim] each.
Tensor AttendBack(const Tensor& query, const Tensor& key, const Tensor& value, int64_t window) {
  const int64_t rows = query.size(2), blocks = (rows + window - 1) / window;
  if (blocks == 1) return at::scaled_dot_product_attention(query, key, value, {}, 0, true);
  const int64_t batch = query.size(0), heads = query.size(1), dim = query.size(3);
  // [B * blocks, heads, window, dim].
  const auto cut = [&](const Tensor& x) {
    return x.view({batch, heads, blocks, window, dim}).transpose(1, 2).flatten(0, 1);
  };
  const auto filled = [&](const Tensor& x, int64_t before) {
    return at::constant_pad_nd(x, {0, 0, before, blocks * window - rows});
  };
  const auto with_previous = [&](const Tensor& x) {
    const Tensor all = filled(x, window);
    return at::cat({cut(all.narrow(2, 0, blocks * window).contiguous()),
                    cut(all.narrow(2, window, blocks * window).contiguous())},
                   2);
  };
  const auto whole = at::TensorOptions(query.device()).dtype(at::kLong);
  const Tensor from = at::arange(window, whole).unsqueeze(1), to = at::arange(2 * window, whole);
  const Tensor seen = (to > from).logical_and(to <= from + window);
  // The first block has none before it.
  const Tensor first = seen.logical_and(to >= window);
  const Tensor masks = at::cat({first.unsqueeze(0), seen.unsqueeze(0).expand({blocks - 1, -1, -1})})
                           .repeat({batch, 1, 1})
                           .unsqueeze(1);
  const Tensor mixed = at::scaled_dot_product_attention(cut(filled(query, 0)), with_previous(key),
                                                        with_previous(value), masks);
  return mixed.view({batch, blocks, heads, window, dim})
      .transpose(1, 2)
      .reshape({batch, heads, blocks * window, dim})
      .narrow(2, 0, rows);
}

struct TransformerBlock {
  TensorNorm before_attention, before_mlp;
  Tensor attention_scale, mlp_scale;
  TensorLinear heads, output, widen, narrow;  // `heads`: queries, keys and values

  Tensor operator()(const Tensor& x, const TransformerConfig& config, const Rotations& rotate) const {
    const auto parts = Heads(heads(before_attention(x)), 3, config.heads);
    const Tensor seen = AttendBack(rotate(parts[0]), rotate(parts[1]), parts[2], config.window);
    const Tensor y = at::addcmul(x, output(Joined(seen)), attention_scale);
    return at::addcmul(y, narrow(at::gelu(widen(before_mlp(y)))), mlp_scale);
  }
};

class TensorTransformer : public TensorLayer {
 public:
  TensorTransformer(const TensorPlace& place, const TransformerConfig& config,
                    std::vector<TransformerBlock> blocks)
      : place_(place), config_(config), blocks_(std::move(blocks)) {}

  Flow Forward(Flow flow) const override {
    Tensor x = RowsOf(place_, std::move(flow));
    const Rotations rotate(place_, x.size(1), config_.head_dim, config_.rope_base);
    for (const TransformerBlock& block : blocks_) x = block(x, config_, rotate);
    return FlowOf(x);
  }

 private:
  TensorPlace place_;
  TransformerConfig config_;
  std::vector<TransformerBlock> blocks_;
};

class TensorWindowAttention : public TensorLayer {
 public:
  TensorWindowAttention(const TensorPlace& place, int64_t window, TensorNorm norm, TensorLinear heads,
                        TensorLinear output)
      : place_(place),
        window_(window),
        norm_(std::move(norm)),
        heads_(std::move(heads)),
        output_(std::move(output)) {}

  Flow Forward(Flow flow) const override {
    const Tensor x = RowsOf(place_, std::move(flow));
    const int64_t rows = x.size(1), width = x.size(2), whole = rows / window_ * window_;
    std::vector<Tensor> seen;
    if (whole > 0) seen.push_back(Windows(x.narrow(1, 0, whole), window_));
    if (whole < rows) seen.push_back(Windows(x.narrow(1, whole, rows - whole), rows - whole));
    return FlowOf(x + output_(at::cat(seen, 1)).view({-1, rows, width}));
  }

 private:
  // [B, n * window, C], each window by itself.
  Tensor Windows(const Tensor& x, int64_t window) const {
    const auto parts = Heads(heads_(norm_(x)).view({-1, window, 3 * x.size(2)}), 3,
                             x.size(2) / static_cast<int64_t>(kWindowHeadDim));
    const Rotations rotate(place_, window, static_cast<int64_t>(kWindowHeadDim), kRopeBase);
    return Joined(at::scaled_dot_product_attention(rotate(parts[0]), rotate(parts[1]), parts[2]))
        .reshape(x.sizes());
  }

  TensorPlace place_;
  int64_t window_;
  TensorNorm norm_;
  TensorLinear heads_, output_;
};

Result<TransformerBlock> LoadBlock(const TensorPlace& place, const Weights& weights, const std::string& name,
                                   const TransformerConfig& config) {
  const int64_t width = config.width, inner = int64_t{config.heads} * config.head_dim;
  TransformerBlock block;
  const auto wide = static_cast<size_t>(width);
  VQC_ASSIGN(const auto before_attention, LoadNorm(weights, name + "input_layernorm", wide));
  VQC_ASSIGN(const auto before_mlp, LoadNorm(weights, name + "post_attention_layernorm", wide));
  VQC_ASSIGN(const auto attention_scale, weights(name + "self_attn_layer_scale.scale", {width}));
  VQC_ASSIGN(const auto mlp_scale, weights(name + "mlp_layer_scale.scale", {width}));
  std::vector<float> heads;
  for (const char* part : {"q", "k", "v"}) {
    VQC_ASSIGN(const auto values, weights(name + "self_attn." + part + "_proj.weight", {inner, width}));
    heads.insert(heads.end(), values.begin(), values.end());
  }
  block.before_attention = TensorNorm::Of(place, before_attention);
  block.before_mlp = TensorNorm::Of(place, before_mlp);
  block.attention_scale = place.Of(attention_scale, {width});
  block.mlp_scale = place.Of(mlp_scale, {width});
  block.heads.weight = place.Of(heads, {3 * inner, width});
  VQC_ASSIGN(block.output,
             TensorLinear::Load(place, weights, name + "self_attn.o_proj", inner, width, false));
  VQC_ASSIGN(block.widen, TensorLinear::Load(place, weights, name + "mlp.fc1", width, config.hidden, false));
  VQC_ASSIGN(block.narrow, TensorLinear::Load(place, weights, name + "mlp.fc2", config.hidden, width, false));
  return block;
}

}  // namespace

Result<LayerPtr> LoadTensorTransformer(const TensorPlace& place, const Weights& weights,
                                       const std::string& name, const TransformerConfig& config) {
  std::vector<TransformerBlock> blocks;
  for (int i = 0; i < config.layers; ++i) {
    const std::string block = name + ".layers." + std::to_string(i) + ".";
    VQC_ASSIGN(blocks.emplace_back(), LoadBlock(place, weights, block, config));
  }
  return LayerPtr(std::make_unique<TensorTransformer>(place, config, std::move(blocks)));
}

Result<LayerPtr> LoadTensorWindowAttention(const TensorPlace& place, const Weights& weights,
                                           const std::string& name, size_t width, size_t window) {
  const auto wide = static_cast<int64_t>(width);
  VQC_ASSIGN(const auto norm, LoadNorm(weights, name + ".norm", width));
  VQC_ASSIGN(auto heads, TensorLinear::Load(place, weights, name + ".to_qkv", wide, 3 * wide, false));
  VQC_ASSIGN(auto output, TensorLinear::Load(place, weights, name + ".to_out", wide, wide, false));
  return LayerPtr(std::make_unique<TensorWindowAttention>(
      place, static_cast<int64_t>(window), TensorNorm::Of(place, norm), std::move(heads), std::move(output)));
}

}  // namespace vqc::nn
