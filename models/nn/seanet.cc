// SPDX-License-Identifier: Apache-2.0
#include "models/nn/seanet.h"

#include <algorithm>
#include <utility>

#include "models/nn/stream_lstm.h"
#include "models/nn/whole_norm.h"

namespace vqc::nn {
namespace {

constexpr int kMaxStride = 1 << 16, kMaxChannels = 8192;
constexpr size_t kLeastRows = 128;  // at the lower rate of a stage: its weights are many

// Layers of one side: each Add takes the next number as its name.
class Builder : public Stages {
 public:
  Builder(const Weights& weights, const SeanetConfig& config, std::string prefix)
      : weights_(weights), config_(config), prefix_(std::move(prefix)) {}

  Status Add(Result<LayerPtr> layer) {
    if (!layer.ok()) return std::move(layer).error();
    chain_->Add(*std::move(layer));
    ++count_;
    return {};
  }
  Status Conv(size_t in, size_t out, size_t kernel, size_t stride = 1) {
    return Add(LoadConv(Name(), in, out, kernel, stride, 1));
  }
  Status Up(size_t in, size_t out, size_t ratio) {
    TransposedConvShape shape{.in = in, .out = out, .kernel = 2 * ratio, .stride = ratio};
    shape.trim_right = config_.causal ? ratio : ratio / 2;
    shape.trim_left = ratio - shape.trim_right;
    if (!config_.whole_norm) return Add(LoadTransposedConv(weights_, Name() + ".conv", shape));
    const size_t left = std::exchange(shape.trim_left, 0), right = std::exchange(shape.trim_right, 0);
    return Add(Normed(LoadTransposedConv(weights_, Name() + ".conv", shape), Name(), out, left, right));
  }
  Status Units(size_t width) {
    size_t dilation = 1;
    for (int i = 0; i < config_.residual_layers; ++i) {
      VQC_TRY(Add(Unit(width, dilation)));
      dilation *= static_cast<size_t>(config_.dilation_growth);
    }
    return {};
  }
  Status Lstm(size_t width) {
    if (config_.lstm_layers == 0) return {};
    VQC_ASSIGN(auto lstm,
               LoadLstm(weights_, Name() + ".lstm", width, static_cast<size_t>(config_.lstm_layers)));
    return Add(LayerPtr(std::make_unique<Residual>(std::move(lstm))));
  }
  Status Elu() { return Add(MakeElu(weights_)); }

 private:
  std::string Name() const { return prefix_ + "." + std::to_string(count_); }

  Result<LayerPtr> LoadConv(const std::string& name, size_t in, size_t out, size_t kernel, size_t stride,
                            size_t dilation) {
    const auto make = config_.causal ? &ConvShape::Causal : &ConvShape::Centred;
    ConvShape shape = make(in, out, kernel, stride, dilation);
    shape.padding = config_.padding;
    return Normed(nn::LoadConv(weights_, name + ".conv", shape), name, out);
  }

  // Behind a convolution to `width` channels, where the network has it, the norm.
  Result<LayerPtr> Normed(Result<LayerPtr> conv, const std::string& name, size_t width, size_t left = 0,
                          size_t right = 0) const {
    if (!conv.ok() || !config_.whole_norm) return conv;
    VQC_ASSIGN(auto norm, LoadWholeNorm(weights_, name + ".norm", width, left, right));
    auto both = std::make_unique<Chain>();
    both->Add(*std::move(conv));
    both->Add(std::move(norm));
    return LayerPtr(std::move(both));
  }

  Result<LayerPtr> Unit(size_t width, size_t dilation) {
    const size_t narrow = width / static_cast<size_t>(config_.compress);
    auto inner = std::make_unique<Chain>();
    inner->Add(MakeElu(weights_));
    VQC_ASSIGN(auto wide, LoadConv(Name() + ".block.1", width, narrow,
                                   static_cast<size_t>(config_.residual_kernel), 1, dilation));
    inner->Add(std::move(wide));
    inner->Add(MakeElu(weights_));
    VQC_ASSIGN(auto point, LoadConv(Name() + ".block.3", narrow, width, 1, 1, 1));
    inner->Add(std::move(point));
    LayerPtr shortcut;
    if (config_.conv_shortcut) {
      VQC_ASSIGN(shortcut, LoadConv(Name() + ".shortcut", width, width, 1, 1, 1));
    }
    return LayerPtr(std::make_unique<Residual>(std::move(inner), std::move(shortcut)));
  }

  const Weights& weights_;
  const SeanetConfig& config_;
  std::string prefix_;
  size_t count_ = 0;
};

}  // namespace

int SeanetConfig::Stride() const {
  int stride = 1;
  for (const int ratio : ratios) stride *= ratio;
  return stride;
}

namespace {

// Of the units behind one another, at a rate where a row is `hop` samples.
int AheadOfUnits(const SeanetConfig& config, int hop) {
  int ahead = 0;
  for (int i = 0, dilation = 1; i < config.residual_layers; ++i, dilation *= config.dilation_growth)
    ahead += (config.residual_kernel - 1) * dilation / 2 * hop;
  return ahead;
}

}  // namespace

int SeanetConfig::Ahead() const {
  if (causal) return 0;
  int hop = 1, ahead = (kernel - 1) / 2;
  for (auto ratio = ratios.rbegin(); ratio != ratios.rend(); ++ratio) {
    ahead += AheadOfUnits(*this, hop) + *ratio / 2 * hop;
    hop *= *ratio;
  }
  return ahead + (last_kernel - 1) / 2 * hop;
}

int SeanetConfig::DecoderAhead() const {
  if (causal) return 0;
  int hop = Stride(), ahead = (kernel - 1) / 2 * hop;
  for (const int ratio : ratios) {
    hop /= ratio;
    ahead += (ratio - ratio / 2) * hop + AheadOfUnits(*this, hop);
  }
  return ahead + (last_kernel - 1) / 2;
}

SeanetConfig SeanetConfig::Read(ConfigFields& fields, SeanetConfig config) {
  config.filters = fields.Whole("num_filters", 1, 1024, config.filters);
  config.hidden = fields.Whole("hidden_size", 1, 4096, config.hidden);
  config.residual_layers = fields.Whole("num_residual_layers", 1, 8, config.residual_layers);
  config.compress = fields.Whole("compress", 1, config.filters, std::min(config.compress, config.filters));
  config.residual_kernel = fields.Whole("residual_kernel_size", 1, 31, config.residual_kernel);
  config.dilation_growth = fields.Whole("dilation_growth_rate", 1, 4, config.dilation_growth);
  config.kernel = fields.Whole("kernel_size", 1, 63, config.kernel);
  config.last_kernel = fields.Whole("last_kernel_size", 1, 63, config.last_kernel);
  if (config.lstm_layers > 0) config.lstm_layers = fields.Whole("num_lstm_layers", 0, 8, config.lstm_layers);
  config.ratios = fields.List("upsampling_ratios", 1, 64, config.ratios);
  config.conv_shortcut = fields.Flag("use_conv_shortcut", config.conv_shortcut);
  config.causal = fields.Flag("use_causal_conv", config.causal);
  const std::string padding = fields.Choice("pad_mode", {"reflect", "constant", "replicate"});
  config.padding = padding == "reflect"    ? Padding::kReflect
                   : padding == "constant" ? Padding::kZeros
                                           : Padding::kReplicate;
  fields.Only("trim_right_ratio", 1.0);
  int64_t stride = 1;
  for (const int ratio : config.ratios) stride = std::min<int64_t>(stride * ratio, kMaxStride + 1);
  if (stride > kMaxStride || config.ratios.size() > 12 ||
      (config.filters << config.ratios.size()) > kMaxChannels) {
    fields.Refuse("the strides of \"upsampling_ratios\" multiply to more than " + std::to_string(kMaxStride) +
                  ", or the channels, which they double, get to more than " + std::to_string(kMaxChannels));
    config.ratios = {1};
  }
  return config;
}

Result<LayerPtr> LoadSeanetEncoder(const Weights& weights, const SeanetConfig& config) {
  Builder builder(weights, config, "encoder.layers");
  auto width = static_cast<size_t>(config.filters);
  const auto channels = static_cast<size_t>(config.channels);
  VQC_TRY(builder.Conv(channels, width, static_cast<size_t>(config.kernel)));
  // All stages but the last, which makes few rows with many weights, are a portion.
  size_t hop = 1, most = 1;
  if (config.ratios.size() > 1) builder.BeginPortion();
  for (size_t i = config.ratios.size(); i-- > 0; width *= 2) {
    const auto ratio = static_cast<size_t>(config.ratios[i]);
    VQC_TRY(builder.Units(width));
    VQC_TRY(builder.Elu());
    VQC_TRY(builder.Conv(width, 2 * width, 2 * ratio, ratio));
    const bool first = i + 1 == config.ratios.size();
    builder.EndStage(first ? channels : width, width, kLeastRows * ratio);
    hop *= ratio;
    most = std::max(most, 2 * width / hop);
    if (i == 1) builder.EndPortion(channels, most);
  }
  VQC_TRY(builder.Lstm(width));
  VQC_TRY(builder.Elu());
  VQC_TRY(builder.Conv(width, static_cast<size_t>(config.hidden), static_cast<size_t>(config.last_kernel)));
  return builder.Take();
}

Result<LayerPtr> LoadSeanetDecoder(const Weights& weights, const SeanetConfig& config) {
  Builder builder(weights, config, "decoder.layers");
  auto width = static_cast<size_t>(config.filters) << config.ratios.size();
  VQC_TRY(builder.Conv(static_cast<size_t>(config.hidden), width, static_cast<size_t>(config.kernel)));
  VQC_TRY(builder.Lstm(width));
  builder.EndStage(static_cast<size_t>(config.hidden), width, kLeastRows);
  // All stages but the first, which sees few rows with many weights, are a portion.
  size_t rate = 1, most = 1;
  const size_t wide = width / 2;
  for (size_t i = 0; i < config.ratios.size(); ++i, width /= 2) {
    const auto ratio = static_cast<size_t>(config.ratios[i]);
    if (i == 1) builder.BeginPortion();
    VQC_TRY(builder.Elu());
    VQC_TRY(builder.Up(width, width / 2, ratio));
    VQC_TRY(builder.Units(width / 2));
    builder.EndStage(width, ratio * width / 2, i == 0 ? 2 * kLeastRows : kLeastRows);
    rate *= i == 0 ? 1 : ratio;
    most = std::max(most, rate * width / 2);
  }
  VQC_TRY(builder.Elu());
  VQC_TRY(builder.Conv(width, static_cast<size_t>(config.channels), static_cast<size_t>(config.last_kernel)));
  if (config.ratios.size() > 1) builder.EndPortion(wide, most);
  return builder.Take();
}

}  // namespace vqc::nn
