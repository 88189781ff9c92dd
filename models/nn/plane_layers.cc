// SPDX-License-Identifier: Apache-2.0
#include "models/nn/plane_layers.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "models/audio_kernels.h"

namespace vqc::nn {
namespace {

constexpr size_t kQueriesAtOnce = 64;
constexpr size_t kLeastForTiles = 16;  // channels that make products outweigh the sums around them

void AddTo(Plane& x, const Plane& y) {
  for (size_t i = 0; i < x.data.size(); ++i) x.data[i] += y.data[i];
}

}  // namespace

Result<Conv2d> Conv2d::Load(const Weights& weights, const std::string& name, size_t in, size_t out,
                            size_t kernel, const ConvOptions& options) {
  const auto side = static_cast<int64_t>(kernel);
  std::vector<int64_t> shape = {static_cast<int64_t>(out), static_cast<int64_t>(in), side};
  if (!options.line) shape.push_back(side);
  VQC_ASSIGN(const auto weight, weights(name + ".weight", shape));
  std::vector<float> bias;
  if (options.bias) {
    VQC_ASSIGN(bias, weights(name + ".bias", {static_cast<int64_t>(out)}));
  }
  Conv2d conv(in, out, kernel, options);
  if (kernel == 3 && options.stride == 1 && !options.line && in >= kLeastForTiles) {
    conv.winograd_.emplace_back(weight, bias, in, out);
    return conv;
  }
  const size_t taps = conv.rows_ * kernel;
  constexpr size_t kPanel = audio::kPanel;
  conv.panels_ = (out + kPanel - 1) / kPanel;
  conv.bias_.resize(conv.panels_ * kPanel);
  std::copy(bias.begin(), bias.end(), conv.bias_.begin());
  conv.taps_.resize(taps * conv.panels_ * in * kPanel);
  for (size_t tap = 0; tap < taps; ++tap) {
    float* panels = conv.taps_.data() + tap * conv.panels_ * in * kPanel;
    for (size_t o = 0; o < out; ++o) {
      for (size_t i = 0; i < in; ++i)
        panels[(o / kPanel * in + i) * kPanel + o % kPanel] = weight[(o * in + i) * taps + tap];
    }
  }
  return conv;
}

// Tap after tap over the whole row, each going on with the sums of the one before.
void Conv2d::ApplyRow(const Plane& x, size_t row, float* y) const {
  static const audio::LinearFunction linear = audio::ChooseLinear();
  const size_t columns = x.width / stride_, padded = (columns - 1) * stride_ + kernel_,
               width = panels_ * audio::kPanel;
  std::vector<float> line(padded * in_), sums(columns * width);
  bool first = true;
  for (size_t ky = 0; ky < rows_; ++ky) {
    const size_t at = row * stride_ + ky;
    if (at < above_ || at - above_ >= x.height) continue;
    const size_t copied = std::min(x.width, padded - before_);
    std::copy_n(x.Row(at - above_), copied * in_, line.begin() + static_cast<ptrdiff_t>(before_ * in_));
    for (size_t kx = 0; kx < kernel_; ++kx) {
      const float* tap = taps_.data() + (ky * kernel_ + kx) * panels_ * in_ * audio::kPanel;
      linear(line.data() + kx * in_, columns, stride_ * in_, in_, tap, first ? bias_.data() : nullptr,
             panels_, sums.data());
      first = false;
    }
  }
  for (size_t c = 0; c < columns; ++c) std::copy_n(sums.data() + c * width, out_, y + c * out_);
}

Plane Conv2d::Apply(const Plane& x, int threads) const {
  if (!winograd_.empty()) return winograd_.front().Apply(x, threads);
  Plane y(x.height / stride_, x.width / stride_, out_);
  ForEach(y.height, threads, [&](size_t row) { ApplyRow(x, row, y.data.data() + row * y.width * out_); });
  return y;
}

Result<ResnetBlock> ResnetBlock::Load(const Weights& weights, const std::string& name, size_t in, size_t out,
                                      size_t groups, const ConvOptions& options) {
  VQC_ASSIGN(auto norm1, GroupNorm::Load(weights, name + ".norm1", in, groups));
  VQC_ASSIGN(auto conv1, Conv2d::Load(weights, name + ".conv1", in, out, 3, options));
  VQC_ASSIGN(auto norm2, GroupNorm::Load(weights, name + ".norm2", out, groups));
  VQC_ASSIGN(auto conv2, Conv2d::Load(weights, name + ".conv2", out, out, 3, options));
  ResnetBlock block(std::move(norm1), std::move(conv1), std::move(norm2), std::move(conv2));
  if (in != out) {
    VQC_ASSIGN(auto shortcut, Conv2d::Load(weights, name + ".nin_shortcut", in, out, 1, options));
    block.shortcut_.push_back(std::move(shortcut));
  }
  return block;
}

Plane ResnetBlock::Apply(Plane x, int threads) const {
  Plane y = conv1_.Apply(norm1_.Apply(x, true, threads), threads);
  y = conv2_.Apply(norm2_.Apply(std::move(y), true, threads), threads);
  AddTo(y, shortcut_.empty() ? x : shortcut_.front().Apply(x, threads));
  return y;
}

Result<PlaneAttention> PlaneAttention::Load(const Weights& weights, const std::string& name, size_t channels,
                                            size_t groups, const ConvOptions& options) {
  VQC_ASSIGN(auto norm, GroupNorm::Load(weights, name + ".norm", channels, groups));
  VQC_ASSIGN(auto query, Conv2d::Load(weights, name + ".q", channels, channels, 1, options));
  VQC_ASSIGN(auto key, Conv2d::Load(weights, name + ".k", channels, channels, 1, options));
  VQC_ASSIGN(auto value, Conv2d::Load(weights, name + ".v", channels, channels, 1, options));
  VQC_ASSIGN(auto out, Conv2d::Load(weights, name + ".proj_out", channels, channels, 1, options));
  return PlaneAttention(std::move(norm), std::move(query), std::move(key), std::move(value), std::move(out));
}

Plane PlaneAttention::Apply(Plane x, int threads) const {
  const size_t positions = x.Positions(), channels = x.channels;
  const Plane normed = norm_.Apply(x, false, threads);
  Plane queries = query_.Apply(normed, threads), values = value_.Apply(normed, threads);
  const auto scale = 1 / std::sqrt(static_cast<float>(channels));
  for (float& value : queries.data) value *= scale;
  const audio::Linear keys(key_.Apply(normed, threads).data, {}, channels, positions);
  std::vector<float> transposed(values.data.size());
  for (size_t i = 0; i < transposed.size(); ++i)
    transposed[i % channels * positions + i / channels] = values.data[i];
  const audio::Linear mix(transposed, {}, positions, channels);
  Plane& attended = values;
  ForEach((positions + kQueriesAtOnce - 1) / kQueriesAtOnce, threads, [&](size_t block) {
    const size_t begin = block * kQueriesAtOnce, count = std::min(kQueriesAtOnce, positions - begin);
    auto scores = keys.Apply(queries.data.data() + begin * channels, count);
    for (size_t q = 0; q < count; ++q) {
      float* row = scores.data() + q * positions;
      const float most = *std::max_element(row, row + positions);
      for (size_t i = 0; i < positions; ++i) row[i] -= most;
      audio::Exp(row, positions);
      double sum = 0;
      for (size_t i = 0; i < positions; ++i) sum += row[i];
      const auto inverse = static_cast<float>(1 / sum);
      for (size_t i = 0; i < positions; ++i) row[i] *= inverse;
    }
    const auto mixed = mix.Apply(scores.data(), count);
    std::copy(mixed.begin(), mixed.end(), attended.data.begin() + static_cast<ptrdiff_t>(begin * channels));
  });
  AddTo(x, out_.Apply(attended, threads));
  return x;
}

Plane Double(const Plane& x) {
  Plane y(2 * x.height, 2 * x.width, x.channels);
  float* to = y.data.data();
  for (size_t row = 0; row < y.height; ++row) {
    for (size_t column = 0; column < y.width; ++column, to += x.channels)
      std::copy_n(x.Row(row / 2) + column / 2 * x.channels, x.channels, to);
  }
  return y;
}

Plane Spread(const Plane& x) {
  Plane y(2 * x.height, 2 * x.width, x.channels / 4);
  float* to = y.data.data();
  for (size_t row = 0; row < y.height; ++row) {
    for (size_t column = 0; column < y.width; ++column, to += y.channels) {
      const float* from = x.Row(row / 2) + column / 2 * x.channels;
      std::copy_n(from + (row % 2 * 2 + column % 2) * y.channels, y.channels, to);
    }
  }
  return y;
}

}  // namespace vqc::nn
