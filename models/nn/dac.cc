// SPDX-License-Identifier: Apache-2.0
#include "models/nn/dac.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/kernels/kernels.h"
#include "models/nn/layer_maker.h"
#include "models/nn/window_attention.h"

namespace vqc::nn {
namespace {

constexpr int kMaxStride = 1 << 16, kMaxChannels = 16384;
constexpr size_t kUnitKernel = 7, kUnitDilations[] = {1, 3, 9};
constexpr size_t kLeastRows = 128;  // at the lower rate of a stage: its weights are many
constexpr float kLeastAlpha = 1e-9f;
constexpr size_t kLatentKernel = 7, kSide = kLatentKernel / 2;  // of SNAC's convolutions beside the latents

int64_t Size(size_t count) { return static_cast<int64_t>(count); }

// x + sin(alpha x)^2 / alpha, alpha [1][channels][1] as NAME.alpha.
Result<LayerPtr> LoadSnake(const Weights& weights, const std::string& name, size_t channels) {
  if (weights.Maker()) return weights.Maker()->Snake(weights, name, channels);
  VQC_ASSIGN(auto alpha, weights(name + ".alpha", {1, Size(channels), 1}));
  std::vector<float> inverse;
  for (const float a : alpha) inverse.push_back(1 / (a + kLeastAlpha));
  return MakePointwise([alpha = std::move(alpha), inverse = std::move(inverse)](std::vector<float>& x) {
    const size_t width = alpha.size();
    for (size_t at = 0; at < x.size(); at += width)
      audio::Snake(x.data() + at, width, alpha.data(), inverse.data());
  });
}

LayerPtr MakeTanh(const Weights& weights) {
  if (weights.Maker()) return weights.Maker()->Tanh();
  return MakePointwise([](std::vector<float>& x) {
    for (float& value : x) value *= -2;
    audio::Exp(x.data(), x.size());
    for (float& value : x) value = 2 / (1 + value) - 1;
  });
}

// Goes through the layers of a side and loads them, or without weights only finds their reach.
class Builder : public Stages {
 public:
  // `hop`: samples of a row that comes in.
  Builder(const Weights* weights, bool depthwise, size_t hop)
      : weights_(weights), depthwise_(depthwise), hop_(hop) {}

  Status Snake(const std::string& name, size_t channels) { return Add(&LoadSnake, name, channels); }
  Status Conv(const std::string& name, ConvShape shape) {
    Widen((shape.Span() - shape.left - shape.stride) * hop_, (shape.Span() - 1) * hop_);
    return Add(&LoadConv, name, shape);
  }
  Status Down(const std::string& name, size_t in, size_t out, size_t stride) {
    ConvShape shape{.in = in, .out = out, .kernel = 2 * stride, .stride = stride, .left = (stride + 1) / 2};
    VQC_TRY(Conv(name, shape));
    hop_ *= stride;
    return {};
  }
  Status Up(const std::string& name, TransposedConvShape shape) {
    hop_ /= shape.stride;
    Widen(shape.trim_left * hop_, (shape.kernel - 1) * hop_);
    return Add(&LoadTransposedConv, name, shape);
  }
  // Three units, NAME.res_unit1 ...
  Status Units(const std::string& name, size_t width) {
    for (size_t i = 0; i < std::size(kUnitDilations); ++i) {
      const std::string unit = name + ".res_unit" + std::to_string(i + 1);
      auto outer = std::exchange(chain_, std::make_unique<Chain>());
      VQC_TRY(Snake(unit + ".snake1", width));
      ConvShape wide = ConvShape::Centred(width, width, kUnitKernel, 1, kUnitDilations[i]);
      wide.depthwise = depthwise_;
      VQC_TRY(Conv(unit + ".conv1", wide));
      VQC_TRY(Snake(unit + ".snake2", width));
      VQC_TRY(Conv(unit + ".conv2", ConvShape::Centred(width, width, 1)));
      outer->Add(std::make_unique<Residual>(std::exchange(chain_, nullptr)));
      chain_ = std::move(outer);
    }
    return {};
  }
  // Beside a convolution at this rate that sees kSide rows more on both sides: those lie in other windows, of
  // which it then sees all.
  Status Attention(const std::string& name, size_t width, size_t window) {
    const size_t beyond = (kSide + window - 1) / window * window - kSide;
    Widen(beyond * hop_, 2 * beyond * hop_);
    return Add(&LoadWindowAttention, name, width, window);
  }
  void Tanh() {
    if (weights_) chain_->Add(MakeTanh(*weights_));
  }
  DacReach Reach() const { return reach_; }

 private:
  template <class Load, class... Shape>
  Status Add(Load load, const std::string& name, const Shape&... shape) {
    if (!weights_) return {};
    VQC_ASSIGN(auto layer, load(*weights_, name, shape...));
    chain_->Add(std::move(layer));
    return {};
  }
  void Widen(size_t ahead, size_t span) {
    reach_.ahead += ahead;
    reach_.span += span;
  }

  const Weights* weights_;
  bool depthwise_;
  size_t hop_;
  DacReach reach_;
};

}  // namespace

int DacConfig::Stride() const {
  int stride = 1;
  for (const int ratio : down) stride *= ratio;
  return stride;
}

DacConfig DacConfig::Read(ConfigFields& fields, bool snac) {
  DacConfig config;
  config.snac = snac;
  config.encoder_width = fields.Whole("encoder_hidden_size", 1, 1024, config.encoder_width);
  config.decoder_width = fields.Whole("decoder_hidden_size", 1, kMaxChannels, config.decoder_width);
  config.down = fields.List("downsampling_ratios", 1, 64, config.down);
  std::vector<int> reversed(config.down.rbegin(), config.down.rend());
  config.up = fields.List("upsampling_ratios", 1, 64, reversed);
  int64_t stride = 1, other = 1;
  for (const int ratio : config.down) stride = std::min<int64_t>(stride * ratio, kMaxStride + 1);
  for (const int ratio : config.up) other = std::min<int64_t>(other * ratio, kMaxStride + 1);
  const int64_t widest = int64_t{config.encoder_width} << std::min<size_t>(config.down.size(), 32);
  if (stride > kMaxStride || stride != other || widest > kMaxChannels ||
      config.decoder_width >> std::min<size_t>(config.up.size(), 31) < 1) {
    fields.Refuse(
        "\"downsampling_ratios\" and \"upsampling_ratios\" must multiply to the same stride of at most " +
        std::to_string(kMaxStride) + ", and channels, which they double and halve, stay from 1 to " +
        std::to_string(kMaxChannels));
    config.down = config.up = {1};
  }
  config.hidden =
      fields.Whole("hidden_size", 1, kMaxChannels, static_cast<int>(std::min<int64_t>(widest, kMaxChannels)));
  if (!snac) return config;
  if (config.hidden != widest) fields.Refuse("\"hidden_size\" is not the encoder's last width");
  config.window = fields.Whole("attn_window_size", 0, 4096, 0);
  constexpr int kHead = static_cast<int>(kWindowHeadDim);
  if (config.window > 0 && (config.hidden % kHead != 0 || config.decoder_width % kHead != 0))
    fields.Refuse("\"attn_window_size\" is set, but the widths beside the latents, " +
                  std::to_string(config.hidden) + " and " + std::to_string(config.decoder_width) +
                  ", are not multiples of " + std::to_string(kHead));
  return config;
}

namespace {

Status AddEncoder(Builder& builder, const DacConfig& config) {
  auto width = static_cast<size_t>(config.encoder_width);
  VQC_TRY(builder.Conv("encoder.conv1", ConvShape::Centred(1, width, 7)));
  // All stages but the last, which makes few rows with many weights, are a portion.
  const size_t count = config.down.size();
  size_t hop = 1, most = 1;
  if (count > 1) builder.BeginPortion();
  for (size_t i = 0; i < count; ++i, width *= 2) {
    const auto stride = static_cast<size_t>(config.down[i]);
    const std::string block = "encoder.block." + std::to_string(i);
    VQC_TRY(builder.Units(block, width));
    VQC_TRY(builder.Snake(block + ".snake1", width));
    VQC_TRY(builder.Down(block + ".conv1", width, 2 * width, stride));
    builder.EndStage(i == 0 ? 1 : width, width, kLeastRows * stride);
    hop *= stride;
    most = std::max(most, 2 * width / hop);
    if (i + 2 == count) builder.EndPortion(1, most);
  }
  if (config.window > 0)
    VQC_TRY(builder.Attention("encoder.attention", width, static_cast<size_t>(config.window)));
  ConvShape last =
      ConvShape::Centred(width, static_cast<size_t>(config.hidden), config.snac ? kLatentKernel : 3);
  last.depthwise = config.snac;
  if (!config.snac) VQC_TRY(builder.Snake("encoder.snake1", width));
  return builder.Conv("encoder.conv2", last);
}

Status AddDecoder(Builder& builder, const DacConfig& config) {
  const auto hidden = static_cast<size_t>(config.hidden);
  auto width = static_cast<size_t>(config.decoder_width);
  ConvShape first = ConvShape::Centred(hidden, config.snac ? hidden : width, kLatentKernel);
  first.depthwise = config.snac;
  VQC_TRY(builder.Conv("decoder.conv1", first));
  if (config.snac) VQC_TRY(builder.Conv("decoder.conv1_mix", ConvShape::Centred(hidden, width, 1)));
  if (config.window > 0)
    VQC_TRY(builder.Attention("decoder.attention", width, static_cast<size_t>(config.window)));
  builder.EndStage(hidden, width, kLeastRows);
  // All stages but the first, which sees few rows with many weights, are a portion.
  const size_t wide = width / 2;
  size_t rate = 1, most = 1;
  for (size_t i = 0; i < config.up.size(); ++i, width /= 2) {
    if (i == 1) builder.BeginPortion();
    const std::string block = "decoder.block." + std::to_string(i);
    const auto stride = static_cast<size_t>(config.up[i]), trim = (stride + 1) / 2;
    VQC_TRY(builder.Snake(block + ".snake1", width));
    VQC_TRY(builder.Up(block + ".conv_t1", {.in = width,
                                            .out = width / 2,
                                            .kernel = 2 * stride,
                                            .stride = stride,
                                            .trim_left = trim,
                                            .trim_right = config.snac ? stride - trim : trim}));
    VQC_TRY(builder.Units(block, width / 2));
    builder.EndStage(width, stride * width / 2, i == 0 ? 2 * kLeastRows : kLeastRows);
    rate *= i == 0 ? 1 : stride;
    most = std::max(most, rate * width / 2);
  }
  VQC_TRY(builder.Snake("decoder.snake1", width));
  VQC_TRY(builder.Conv("decoder.conv2", ConvShape::Centred(width, 1, 7)));
  builder.Tanh();
  if (config.up.size() > 1) builder.EndPortion(wide, most);
  return {};
}

Builder EncoderBuilder(const Weights* weights, const DacConfig& config) { return {weights, config.snac, 1}; }
Builder DecoderBuilder(const Weights* weights, const DacConfig& config) {
  return {weights, config.snac, static_cast<size_t>(config.Stride())};
}

}  // namespace

Result<LayerPtr> LoadDacEncoder(const Weights& weights, const DacConfig& config) {
  Builder builder = EncoderBuilder(&weights, config);
  VQC_TRY(AddEncoder(builder, config));
  return builder.Take();
}

Result<LayerPtr> LoadDacDecoder(const Weights& weights, const DacConfig& config) {
  Builder builder = DecoderBuilder(&weights, config);
  VQC_TRY(AddDecoder(builder, config));
  return builder.Take();
}

// Only what is loaded can fail.
DacReach ReachOfDacEncoder(const DacConfig& config) {
  Builder builder = EncoderBuilder(nullptr, config);
  (void)AddEncoder(builder, config);
  return builder.Reach();
}

DacReach ReachOfDacDecoder(const DacConfig& config) {
  Builder builder = DecoderBuilder(nullptr, config);
  (void)AddDecoder(builder, config);
  return builder.Reach();
}

}  // namespace vqc::nn
