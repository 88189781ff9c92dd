// SPDX-License-Identifier: Apache-2.0
#include "models/nn/plane_norm.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "models/audio_kernels.h"

namespace vqc::nn {
namespace {

constexpr double kEpsilon = 1e-6;

Plane Normalize(Plane x, size_t groups, const std::vector<float>& weight, const std::vector<float>& bias,
                bool silu, int threads) {
  const size_t channels = x.channels, each = channels / groups;
  const double count = static_cast<double>(x.Positions() * each);
  // Sums of each row by channel, added up row after row.
  std::vector<double> rows(x.height * channels);
  const auto total = [&](const auto& term) {
    ForEach(x.height, threads, [&](size_t y) {
      double* sums = rows.data() + y * channels;
      std::fill_n(sums, channels, 0.0);
      const float* at = x.Row(y);
      for (size_t i = 0; i < x.width; ++i, at += channels) {
        for (size_t c = 0; c < channels; ++c) sums[c] += term(at[c], c);
      }
    });
    std::vector<double> sums(groups);
    for (size_t i = 0; i < rows.size(); ++i) sums[i % channels / each] += rows[i];
    return sums;
  };
  const auto sums = total([](float value, size_t) { return double{value}; });
  std::vector<double> means(channels);
  for (size_t c = 0; c < channels; ++c) means[c] = sums[c / each] / count;
  const auto squares = total([&](float value, size_t c) { return (value - means[c]) * (value - means[c]); });
  std::vector<float> scale(channels), shift(channels);
  for (size_t c = 0; c < channels; ++c) {
    const double inverse = 1 / std::sqrt(squares[c / each] / count + kEpsilon);
    scale[c] = static_cast<float>(inverse * weight[c]);
    shift[c] = static_cast<float>(bias[c] - means[c] * inverse * weight[c]);
  }
  ForEach(x.height, threads, [&](size_t y) {
    float* row = x.data.data() + y * x.width * channels;
    for (size_t i = 0; i < x.width; ++i) {
      for (size_t c = 0; c < channels; ++c)
        row[i * channels + c] = row[i * channels + c] * scale[c] + shift[c];
    }
    if (silu) audio::Silu(row, x.width * channels);
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

Plane GroupNorm::Apply(Plane x, bool silu, int threads) const {
  return Normalize(std::move(x), groups_, weight_, bias_, silu, threads);
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
  return Normalize(std::move(x), groups_, gamma_.Apply(deviations.data(), 1), beta_.Apply(means.data(), 1),
                   false, threads);
}

}  // namespace vqc::nn
