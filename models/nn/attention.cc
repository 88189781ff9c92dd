// SPDX-License-Identifier: Apache-2.0
#include "models/nn/attention.h"

#include <cmath>

#include "models/audio_attend.h"

namespace vqc::nn {

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
  static const audio::AttendFunction attend = audio::ChooseAttend();
  for (size_t at = 0; at < shape.Width(); at += shape.dim)
    attend(query + at, keys + at, values + at, count, shape.Width(), shape.dim, scores, out + at);
}

}  // namespace vqc::nn
