// SPDX-License-Identifier: Apache-2.0
#include "models/nn/plane_norm.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/kernels/kernels.h"
#include "base/kernels/plane_tiles.h"

namespace vqc::nn {
namespace {

constexpr double kEpsilon = 1e-6;

const planes::RowFunctions& Rows() {
  static const planes::RowFunctions& rows = audio::ChoosePlanes().rows;
  return rows;
}

// From sums of each row by channel, added up row after row.
ChannelScale ScaleOf(const Plane& x, size_t groups, const std::vector<float>& weight,
                     const std::vector<float>& bias, int threads) {
  const size_t channels = x.channels, each = channels / groups;
  const double count = static_cast<double>(x.Positions() * each);
  std::vector<double> sums(x.height * channels), squares(x.height * channels);
  ForEach(x.height, threads, [&](size_t y) {
    Rows().sum(x.Row(y), x.width, channels, sums.data() + y * channels, squares.data() + y * channels);
  });
  std::vector<double> sum(groups), square(groups);
  for (size_t i = 0; i < sums.size(); ++i) {
    sum[i % channels / each] += sums[i];
    square[i % channels / each] += squares[i];
  }
  ChannelScale norm{std::vector<float>(channels), std::vector<float>(channels)};
  for (size_t c = 0; c < channels; ++c) {
    const double mean = sum[c / each] / count, variance = square[c / each] / count - mean * mean;
    const double inverse = 1 / std::sqrt(std::max(variance, 0.0) + kEpsilon);
    norm.scale[c] = static_cast<float>(inverse * weight[c]);
    norm.shift[c] = static_cast<float>(bias[c] - mean * inverse * weight[c]);
  }
  return norm;
}

Plane Normalize(Plane x, const ChannelScale& norm, bool silu, int threads) {
  ForEach(x.height, threads, [&](size_t y) {
    Rows().scale(x.Row(y), x.channels, x.width, x.channels, norm.scale.data(), norm.shift.data(), silu,
                 x.Row(y));
  });
  return x;
}

}  // namespace

Result<GroupNorm> GroupNorm::Load(const Weights& weights, const std::string& name, size_t channels,
                                  size_t groups) {
  GroupNorm norm;
  norm.groups_ = groups;
  VQC_ASSIGN(norm.weight_, weights(name + ".weight", {static_cast<int64_t>(channels)}));
  VQC_ASSIGN(norm.bias_, weights(name + ".bias", {static_cast<int64_t>(channels)}));
  return norm;
}

ChannelScale GroupNorm::Of(const Plane& x, int threads) const {
  return ScaleOf(x, groups_, weight_, bias_, threads);
}

Plane GroupNorm::Apply(Plane x, bool silu, int threads) const {
  const ChannelScale norm = Of(x, threads);
  return Normalize(std::move(x), norm, silu, threads);
}

Result<AdaptiveGroupNorm> AdaptiveGroupNorm::Load(const Weights& weights, const std::string& name,
                                                  size_t style, size_t channels, size_t groups) {
  VQC_ASSIGN(auto gamma, audio::Linear::Load(weights, name + ".gamma", style, channels));
  VQC_ASSIGN(auto beta, audio::Linear::Load(weights, name + ".beta", style, channels));
  return AdaptiveGroupNorm(std::move(gamma), std::move(beta), groups);
}

Plane AdaptiveGroupNorm::Apply(Plane x, const Plane& style, int threads) const {
  const size_t positions = style.Positions(), channels = style.channels;
  std::vector<float> deviations(channels), means(channels);
  for (size_t c = 0; c < channels; ++c) {
    double sum = 0, squares = 0;
    for (size_t i = 0; i < positions; ++i) sum += style.data[i * channels + c];
    const double mean = sum / static_cast<double>(positions);
    for (size_t i = 0; i < positions; ++i)
      squares += (style.data[i * channels + c] - mean) * (style.data[i * channels + c] - mean);
    means[c] = static_cast<float>(mean);
    const auto others = static_cast<double>(std::max<size_t>(positions - 1, 1));
    deviations[c] = static_cast<float>(std::sqrt(squares / others + kEpsilon));
  }
  const ChannelScale norm =
      ScaleOf(x, groups_, gamma_.Apply(deviations.data(), 1), beta_.Apply(means.data(), 1), threads);
  return Normalize(std::move(x), norm, false, threads);
}

}  // namespace vqc::nn
