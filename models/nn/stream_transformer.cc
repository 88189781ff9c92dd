// SPDX-License-Identifier: Apache-2.0
#include "models/nn/stream_transformer.h"

#include <algorithm>
#include <utility>

#include "base/kernels/kernels.h"
#include "models/nn/attention.h"
#include "models/nn/layer_maker.h"

namespace vqc::nn {
namespace {

using audio::Linear;

class TransformerLayer : public StreamLayer {
 public:
  struct Parts {
    audio::NormWeights before_attention, before_mlp;
    std::vector<float> attention_scale, mlp_scale;
    Linear query, key, value, output, widen, narrow;
  };
  TransformerLayer(const TransformerConfig& config, Parts parts)
      : config_(config),
        width_(static_cast<size_t>(config.width)),
        shape_{static_cast<size_t>(config.heads), static_cast<size_t>(config.head_dim)},
        window_(static_cast<size_t>(config.window)),
        parts_(std::move(parts)) {}

  std::unique_ptr<State> Start() const override { return std::make_unique<Past>(shape_); }

  std::vector<float> Push(State* state, std::vector<float> x, bool) const override {
    auto& past = *static_cast<Past*>(state);
    const size_t rows = x.size() / width_;
    if (rows == 0) return {};
    const auto normed = parts_.before_attention.Apply(x);
    const auto attended = parts_.output.Apply(AttendPast(past, normed, rows).data(), rows);
    Add(x, attended, parts_.attention_scale);
    auto hidden = parts_.widen.Apply(parts_.before_mlp.Apply(x).data(), rows);
    audio::Gelu(hidden.data(), hidden.size());
    Add(x, parts_.narrow.Apply(hidden.data(), rows), parts_.mlp_scale);
    return x;
  }

 private:
  struct Past : State {
    explicit Past(HeadShape shape) : seen(shape) {}
    AttendedRows seen;
    uint64_t position = 0;  // of the row that comes next
  };

  void Add(std::vector<float>& x, const std::vector<float>& y, const std::vector<float>& scale) const {
    for (size_t i = 0; i < x.size(); ++i) x[i] += y[i] * scale[i % width_];
  }

  std::vector<float> AttendPast(Past& past, const std::vector<float>& x, size_t rows) const {
    auto queries = parts_.query.Apply(x.data(), rows), keys = parts_.key.Apply(x.data(), rows);
    const auto values = parts_.value.Apply(x.data(), rows);
    for (auto* rotated : {&queries, &keys}) Rotate(*rotated, rows, past.position, shape_, config_.rope_base);
    past.position += rows;
    past.seen.Add(keys, values);
    auto attended = past.seen.Attend(queries, rows, window_);
    past.seen.KeepLast(window_ - 1);
    return attended;
  }

  TransformerConfig config_;
  size_t width_;
  HeadShape shape_;
  size_t window_;
  Parts parts_;
};

class Loader {
 public:
  Loader(const Weights& weights, std::string prefix) : weights_(weights), prefix_(std::move(prefix)) {}

  Result<std::vector<float>> Row(const std::string& name, size_t width) const {
    return weights_(prefix_ + name, {static_cast<int64_t>(width)});
  }
  Result<audio::NormWeights> Norm(const std::string& name, size_t width) const {
    return LoadNorm(weights_, prefix_ + name, width);
  }
  Result<Linear> Map(const std::string& name, size_t in, size_t out) const {
    VQC_ASSIGN(const auto values,
               weights_(prefix_ + name + ".weight", {static_cast<int64_t>(out), static_cast<int64_t>(in)}));
    return Linear(values, {}, in, out);
  }

 private:
  const Weights& weights_;
  std::string prefix_;
};

Result<LayerPtr> LoadLayer(const Loader& loader, const TransformerConfig& config) {
  const auto width = static_cast<size_t>(config.width), hidden = static_cast<size_t>(config.hidden),
             inner = static_cast<size_t>(config.heads) * static_cast<size_t>(config.head_dim);
  VQC_ASSIGN(auto before_attention, loader.Norm("input_layernorm", width));
  VQC_ASSIGN(auto before_mlp, loader.Norm("post_attention_layernorm", width));
  VQC_ASSIGN(auto attention_scale, loader.Row("self_attn_layer_scale.scale", width));
  VQC_ASSIGN(auto mlp_scale, loader.Row("mlp_layer_scale.scale", width));
  VQC_ASSIGN(auto query, loader.Map("self_attn.q_proj", width, inner));
  VQC_ASSIGN(auto key, loader.Map("self_attn.k_proj", width, inner));
  VQC_ASSIGN(auto value, loader.Map("self_attn.v_proj", width, inner));
  VQC_ASSIGN(auto output, loader.Map("self_attn.o_proj", inner, width));
  VQC_ASSIGN(auto widen, loader.Map("mlp.fc1", width, hidden));
  VQC_ASSIGN(auto narrow, loader.Map("mlp.fc2", hidden, width));
  return LayerPtr(std::make_unique<TransformerLayer>(
      config,
      TransformerLayer::Parts{std::move(before_attention), std::move(before_mlp), std::move(attention_scale),
                              std::move(mlp_scale), std::move(query), std::move(key), std::move(value),
                              std::move(output), std::move(widen), std::move(narrow)}));
}

}  // namespace

TransformerConfig TransformerConfig::Read(ConfigFields& fields, int width) {
  TransformerConfig config;
  config.width = width;
  config.layers = fields.Whole("num_hidden_layers", 1, 64, config.layers);
  config.heads = fields.Whole("num_attention_heads", 1, 64, config.heads);
  config.head_dim = fields.Whole("head_dim", 2, 512, std::max(width / config.heads, 2));
  config.hidden = fields.Whole("intermediate_size", 1, 16384, config.hidden);
  config.window = fields.Whole("sliding_window", 1, 65536, config.window);
  config.rope_base = fields.Number("rope_theta", 1, 1e9, config.rope_base);
  fields.Only("num_key_value_heads", config.heads);
  fields.Only("hidden_act", "gelu");
  fields.Only("attention_bias", false);
  fields.Only("norm_eps", 1e-5);
  if (config.head_dim % 2 != 0) fields.Refuse("\"head_dim\" is odd; rotations need pairs");
  return config;
}

Result<LayerPtr> LoadTransformer(const Weights& weights, const std::string& name,
                                 const TransformerConfig& config) {
  if (weights.Maker()) return weights.Maker()->Transformer(weights, name, config);
  auto chain = std::make_unique<Chain>();
  for (int i = 0; i < config.layers; ++i) {
    VQC_ASSIGN(auto layer, LoadLayer(Loader(weights, name + ".layers." + std::to_string(i) + "."), config));
    chain->Add(std::move(layer));
  }
  return LayerPtr(std::move(chain));
}

}  // namespace vqc::nn
