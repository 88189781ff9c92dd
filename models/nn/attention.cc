// SPDX-License-Identifier: Apache-2.0
#include "models/nn/attention.h"

#include <algorithm>
#include <cmath>

#include "models/audio_kernels.h"

namespace vqc::nn {
namespace {

constexpr size_t kLanes = 8;

float Dot(const float* a, const float* b, size_t count) {
  float lanes[kLanes] = {};
  for (size_t i = 0; i < count; ++i) lanes[i % kLanes] += a[i] * b[i];
  for (size_t half = kLanes / 2; half > 0; half /= 2) {
    for (size_t i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  }
  return lanes[0];
}

}  // namespace

Result<audio::NormWeights> LoadNorm(const audio::Weights& weights, const std::string& name, size_t width) {
  audio::NormWeights norm;
  VQC_ASSIGN(norm.weight, weights(name + ".weight", {static_cast<int64_t>(width)}));
  VQC_ASSIGN(norm.bias, weights(name + ".bias", {static_cast<int64_t>(width)}));
  return norm;
}

void Rotate(std::vector<float>& x, size_t rows, uint64_t first, HeadShape shape, double base) {
  const size_t half = shape.dim / 2;
  for (size_t t = 0; t < rows; ++t) {
    for (size_t d = 0; d < half; ++d) {
      const double frequency = std::pow(base, -2.0 * static_cast<double>(d) / static_cast<double>(shape.dim));
      const double angle = static_cast<double>(first + t) * frequency;
      const auto cosine = static_cast<float>(std::cos(angle)), sine = static_cast<float>(std::sin(angle));
      for (size_t head = 0; head < shape.heads; ++head) {
        float* low = x.data() + (t * shape.heads + head) * shape.dim + d;
        const float a = low[0], b = low[half];
        low[0] = a * cosine - b * sine;
        low[half] = b * cosine + a * sine;
      }
    }
  }
}

void Attend(const float* query, const float* keys, const float* values, size_t count, HeadShape shape,
            float* scores, float* out) {
  const size_t row = shape.Width(), dim = shape.dim;
  const float scale = 1 / std::sqrt(static_cast<float>(dim));
  for (size_t at = 0; at < row; at += dim) {
    for (size_t j = 0; j < count; ++j) scores[j] = Dot(query + at, keys + j * row + at, dim) * scale;
    const float most = *std::max_element(scores, scores + count);
    for (size_t j = 0; j < count; ++j) scores[j] -= most;
    audio::Exp(scores, count);
    float sum = 0;
    for (size_t j = 0; j < count; ++j) sum += scores[j];
    for (size_t j = 0; j < count; ++j) {
      const float weight = scores[j] / sum;
      const float* value = values + j * row + at;
      for (size_t d = 0; d < dim; ++d) out[at + d] += weight * value[d];
    }
  }
}

}  // namespace vqc::nn
