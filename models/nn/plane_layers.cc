// SPDX-License-Identifier: Apache-2.0
#include "models/nn/plane_layers.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/kernels/kernels.h"

namespace vqc::nn {
namespace {

constexpr size_t kPanel = audio::kPanel;
constexpr size_t kQueriesAtOnce = 64;
constexpr size_t kPositionsAtOnce = 96;  // of convolutions without tiles
constexpr size_t kLeastForTiles = 16;    // channels that make products outweigh the sums around them

audio::LinearFunction Linear() {
  static const audio::LinearFunction linear = audio::ChooseLinear();
  return linear;
}

}  // namespace

Result<Conv2d> Conv2d::Load(const Weights& weights, const std::string& name, size_t in, size_t out,
                            size_t kernel, const ConvOptions& options) {
  const auto side = static_cast<int64_t>(kernel);
  std::vector<int64_t> shape = {static_cast<int64_t>(out), static_cast<int64_t>(in), side};
  if (!options.line) shape.push_back(side);
  VQC_ASSIGN(auto weight, weights(name + ".weight", shape));
  std::vector<float> bias;
  if (options.bias) {
    VQC_ASSIGN(bias, weights(name + ".bias", {static_cast<int64_t>(out)}));
  }
  Conv2d conv(in, out, kernel, options);
  if (kernel == 3 && options.stride == 1 && !options.line && in >= kLeastForTiles) {
    conv.winograd_.emplace_back(std::move(weight), std::move(bias), in, out);
    return conv;
  }
  const size_t taps = conv.rows_ * kernel;
  conv.panels_ = (out + kPanel - 1) / kPanel;
  conv.bias_ = std::move(bias);
  conv.bias_.resize(conv.panels_ * kPanel);
  conv.taps_.resize(conv.panels_ * taps * in * kPanel);
  for (size_t i = 0; i < weight.size(); ++i) {
    const size_t o = i / taps / in, at = i % taps * in + i / taps % in;
    conv.taps_[(o / kPanel * taps * in + at) * kPanel + o % kPanel] = weight[i];
  }
  return conv;
}

// `room`: for the rows that are seen, with what is beside them, and for the sums of a panel.
void Conv2d::ApplyRows(const PlaneView& x, bool add, size_t first, size_t count, float* room,
                       Plane& y) const {
  const size_t columns = y.width, padded = Padded(columns), seen = (count - 1) * stride_ + rows_,
               inputs = kernel_ * in_;
  float* sums = room + seen * padded * in_;
  x.Cut(static_cast<ptrdiff_t>(first * stride_) - static_cast<ptrdiff_t>(above_),
        -static_cast<ptrdiff_t>(before_), seen, padded, 0, in_, room);
  for (size_t panel = 0; panel < panels_; ++panel) {
    for (size_t r = 0; r < count; ++r) {
      for (size_t ky = 0; ky < rows_; ++ky) {
        Linear()(room + (r * stride_ + ky) * padded * in_, columns, stride_ * in_, inputs,
                 taps_.data() + (panel * rows_ + ky) * inputs * kPanel,
                 ky == 0 ? bias_.data() + panel * kPanel : nullptr, 1, sums + r * columns * kPanel);
      }
    }
    const size_t outputs = std::min(kPanel, out_ - panel * kPanel);
    float* to = y.Row(first) + panel * kPanel;
    for (size_t i = 0; i < count * columns; ++i, to += out_) {
      const float* sum = sums + i * kPanel;
      for (size_t o = 0; o < outputs; ++o) to[o] = add ? sum[o] + to[o] : sum[o];
    }
  }
}

void Conv2d::Apply(const PlaneView& x, bool add, Plane& y, int threads) const {
  if (!winograd_.empty()) return winograd_.front().Apply(x, add, y, threads);
  const size_t positions = y.Positions();
  if (kernel_ == 1 && stride_ == 1 && !add && !x.norm && !x.doubled) {
    const size_t width = panels_ * kPanel, blocks = (positions + kPositionsAtOnce - 1) / kPositionsAtOnce;
    ForEachIn(kPositionsAtOnce * width, blocks, threads, [&](size_t i, float* room) {
      const size_t first = i * kPositionsAtOnce, count = std::min(kPositionsAtOnce, positions - first);
      const float* seen = x.plane.data.data() + first * in_;
      float* to = y.data.data() + first * out_;
      Linear()(seen, count, in_, in_, taps_.data(), bias_.data(), panels_, width == out_ ? to : room);
      for (size_t r = 0; width != out_ && r < count; ++r) std::copy_n(room + r * width, out_, to + r * out_);
    });
    return;
  }
  const size_t together = std::max<size_t>(kPositionsAtOnce / y.width, 1),
               seen = ((together - 1) * stride_ + rows_) * Padded(y.width) * in_;
  ForEachIn(seen + together * y.width * kPanel, (y.height + together - 1) / together, threads,
            [&](size_t i, float* room) {
              const size_t first = i * together;
              ApplyRows(x, add, first, std::min(together, y.height - first), room, y);
            });
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
  const ChannelScale norm1 = norm1_.Of(x, threads);
  const Plane hidden = conv1_.Apply({x, &norm1}, threads);
  const ChannelScale norm2 = norm2_.Of(hidden, threads);
  Plane y = shortcut_.empty() ? std::move(x) : shortcut_.front().Apply({x}, threads);
  conv2_.AddTo({hidden, &norm2}, y, threads);
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
  Plane queries = query_.Apply({normed}, threads), values = value_.Apply({normed}, threads);
  const auto scale = 1 / std::sqrt(static_cast<float>(channels));
  for (float& value : queries.data) value *= scale;
  const audio::Linear keys(key_.Apply({normed}, threads).data, {}, channels, positions);
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
  out_.AddTo({attended}, x, threads);
  return x;
}

}  // namespace vqc::nn
