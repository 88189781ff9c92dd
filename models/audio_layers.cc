// SPDX-License-Identifier: Apache-2.0
#include "models/audio_layers.h"

#include <algorithm>

#include "base/populate.h"

namespace vqc::audio {
namespace {
constexpr size_t kPaddedAtOnce = 1 << 15;  // floats
constexpr size_t kFewRows = 8;             // for which lanes that are rows are not worth it
}  // namespace

Linear::Linear(const std::vector<float>& weights, const std::vector<float>& bias, size_t in, size_t out,
               size_t taps)
    : in_(in), out_(out), panels_((out + kPanel - 1) / kPanel) {
  ReserveAtOnce(weights_, panels_ * in * kPanel);
  weights_.resize(panels_ * in * kPanel);
  bias_.assign(panels_ * kPanel, 0.0f);
  std::copy(bias.begin(), bias.end(), bias_.begin());
  // So many inputs of a panel at a time as stay in the nearest cache: read as they come, written tap by tap.
  constexpr size_t kInputs = 64;
  const size_t channels = in / taps, step = std::max<size_t>(kInputs / taps, 1);
  std::vector<float> part(taps * step * kPanel);
  for (size_t p = 0; p < panels_; ++p) {
    const size_t outputs = std::min<size_t>(out - p * kPanel, kPanel);
    if (outputs < kPanel) std::fill(part.begin(), part.end(), 0.0f);
    for (size_t begin = 0; begin < channels; begin += step) {
      const size_t count = std::min(step, channels - begin);
      for (size_t o = 0; o < outputs; ++o) {
        const float* from = weights.data() + ((p * kPanel + o) * channels + begin) * taps;
        for (size_t i = 0; i < count; ++i) {
          for (size_t k = 0; k < taps; ++k) part[(k * count + i) * kPanel + o] = *from++;
        }
      }
      for (size_t k = 0; k < taps; ++k) {
        std::copy_n(part.data() + k * count * kPanel, count * kPanel,
                    weights_.data() + (p * in + k * channels + begin) * kPanel);
      }
    }
  }
}

std::vector<float> Linear::Weight() const {
  std::vector<float> weight(out_ * in_);
  for (size_t o = 0; o < out_; ++o) {
    const float* panel = weights_.data() + o / kPanel * in_ * kPanel + o % kPanel;
    for (size_t i = 0; i < in_; ++i) weight[o * in_ + i] = panel[i * kPanel];
  }
  return weight;
}

std::vector<float> Linear::Bias() const {
  return {bias_.begin(), bias_.begin() + static_cast<ptrdiff_t>(out_)};
}

Result<Linear> Linear::Load(const Weights& weights, const std::string& name, size_t in, size_t out) {
  const auto rows = static_cast<int64_t>(out);
  VQC_ASSIGN(const auto weight, weights(name + ".weight", {rows, static_cast<int64_t>(in)}));
  VQC_ASSIGN(const auto bias, weights(name + ".bias", {rows}));
  return Linear(weight, bias, in, out);
}

std::vector<float> Linear::Apply(const float* x, size_t rows, size_t pitch) const {
  std::vector<float> y(rows * out_);
  Apply(x, rows, pitch, y.data());
  return y;
}

void Linear::Apply(const float* x, size_t rows, size_t pitch, float* y) const {
  static const LinearFunction function = ChooseLinear();
  const size_t padded = panels_ * kPanel;
  if (padded == out_) return function(x, rows, pitch, in_, weights_.data(), bias_.data(), panels_, y);
  if (out_ <= kNarrow && rows >= kFewRows) {
    static const NarrowFunction narrow = ChooseNarrow();
    std::vector<float> turned(NarrowRoom(pitch, in_));
    return narrow(x, rows, pitch, in_, weights_.data(), bias_.data(), out_, y, turned.data());
  }
  // So many rows at a time that those that are padded stay in a cache.
  const size_t most = std::min(rows, kPaddedAtOnce / padded + 1);
  std::vector<float> wide(most * padded);
  for (size_t begin = 0; begin < rows; begin += most) {
    const size_t count = std::min(most, rows - begin);
    function(x + begin * pitch, count, pitch, in_, weights_.data(), bias_.data(), panels_, wide.data());
    for (size_t r = 0; r < count; ++r) std::copy_n(wide.data() + r * padded, out_, y + (begin + r) * out_);
  }
}

Result<Block> Block::Load(const Weights& weights, const std::string& name, size_t width, size_t expand,
                          size_t kernel, size_t ahead) {
  VQC_ASSIGN(Linear widen, Linear::Load(weights, name + ".widen", width, width * expand));
  VQC_ASSIGN(Linear narrow, Linear::Load(weights, name + ".narrow", width * expand, width));
  Block block(std::move(widen), std::move(narrow));
  block.width_ = width;
  block.kernel_ = kernel;
  block.ahead_ = ahead;
  const auto wide = static_cast<int64_t>(width), taps = static_cast<int64_t>(kernel);
  VQC_ASSIGN(const auto by_channel, weights(name + ".kernel_weight", {wide, 1, taps}));
  block.kernel_weight_.resize(by_channel.size());
  for (size_t c = 0; c < width; ++c) {
    for (size_t k = 0; k < kernel; ++k) block.kernel_weight_[k * width + c] = by_channel[c * kernel + k];
  }
  VQC_ASSIGN(block.kernel_bias_, weights(name + ".kernel_bias", {wide}));
  VQC_ASSIGN(block.norm_weight_, weights(name + ".norm_weight", {wide}));
  VQC_ASSIGN(block.norm_bias_, weights(name + ".norm_bias", {wide}));
  VQC_ASSIGN(block.scale_, weights(name + ".scale", {wide}));
  return block;
}

std::vector<float> Block::Push(State& state, const std::vector<float>& x, bool last) const {
  auto& rows = state.rows;
  if (!state.started) rows.assign((kernel_ - 1 - ahead_) * width_, 0.0f);
  state.started = true;
  rows.insert(rows.end(), x.begin(), x.end());
  if (last) rows.resize(rows.size() + ahead_ * width_, 0.0f);
  const size_t have = rows.size() / width_;
  const size_t count = have >= kernel_ ? have - (kernel_ - 1) : 0;
  if (count == 0) return {};

  std::vector<float> seen(count * width_);
  std::vector<float> sum(width_);
  for (size_t t = 0; t < count; ++t) {
    std::copy(kernel_bias_.begin(), kernel_bias_.end(), sum.begin());
    for (size_t k = 0; k < kernel_; ++k) {
      const float* row = rows.data() + (t + k) * width_;
      const float* weight = kernel_weight_.data() + k * width_;
      for (size_t c = 0; c < width_; ++c) sum[c] += row[c] * weight[c];
    }
    Norm(sum.data(), width_, norm_weight_.data(), norm_bias_.data(), seen.data() + t * width_);
  }
  auto hidden = widen_.Apply(seen.data(), count);
  Silu(hidden.data(), hidden.size());
  auto y = narrow_.Apply(hidden.data(), count);
  for (size_t t = 0; t < count; ++t) {
    const float* input = rows.data() + (t + kernel_ - 1 - ahead_) * width_;
    for (size_t c = 0; c < width_; ++c) y[t * width_ + c] = input[c] + y[t * width_ + c] * scale_[c];
  }
  rows.erase(rows.begin(), rows.begin() + static_cast<long>(count * width_));
  return y;
}

Result<NormWeights> NormWeights::Load(const Weights& weights, const std::string& prefix, size_t width) {
  NormWeights norm;
  VQC_ASSIGN(norm.weight, weights(prefix + ".norm_weight", {static_cast<int64_t>(width)}));
  VQC_ASSIGN(norm.bias, weights(prefix + ".norm_bias", {static_cast<int64_t>(width)}));
  return norm;
}

std::vector<float> NormWeights::Apply(const std::vector<float>& x) const {
  std::vector<float> y(x.size());
  const size_t width = weight.size();
  for (size_t at = 0; at < x.size(); at += width) {
    Norm(x.data() + at, width, weight.data(), bias.data(), y.data() + at, epsilon);
  }
  return y;
}

}  // namespace vqc::audio
