// SPDX-License-Identifier: Apache-2.0
#include "models/nn/attention.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/kernels/attend.h"

namespace vqc::nn {

Result<audio::NormWeights> LoadNorm(const audio::Weights& weights, const std::string& name, size_t width) {
  audio::NormWeights norm;
  VQC_ASSIGN(norm.weight, weights(name + ".weight", {static_cast<int64_t>(width)}));
  VQC_ASSIGN(norm.bias, weights(name + ".bias", {static_cast<int64_t>(width)}));
  return norm;
}

void Rotate(std::vector<float>& x, size_t rows, uint64_t first, HeadShape shape, double base) {
  const size_t half = shape.dim / 2;
  std::vector<double> frequencies(half);
  for (size_t d = 0; d < half; ++d)
    frequencies[d] = std::pow(base, -2.0 * static_cast<double>(d) / static_cast<double>(shape.dim));
  for (size_t t = 0; t < rows; ++t) {
    for (size_t d = 0; d < half; ++d) {
      const double angle = static_cast<double>(first + t) * frequencies[d];
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

void AttendedRows::Add(const std::vector<float>& keys, const std::vector<float>& values) {
  const size_t width = shape_.Width(), rows = keys.size() / width;
  if (first_ + count_ + rows > room_) {
    // So much that few rows at a time seldom move those before.
    const size_t room = count_ + std::max(rows, count_);
    std::vector<float> moved(width * room + audio::kBehindKeys);
    for (size_t d = 0; d < width; ++d)
      std::copy_n(keys_.begin() + static_cast<ptrdiff_t>(d * room_ + first_), count_,
                  moved.begin() + static_cast<ptrdiff_t>(d * room));
    keys_ = std::move(moved);
    room_ = room;
    first_ = 0;
  }
  for (size_t d = 0; d < width; ++d) {
    float* to = keys_.data() + d * room_ + first_ + count_;
    for (size_t t = 0; t < rows; ++t) to[t] = keys[t * width + d];
  }
  values_.insert(values_.end(), values.begin(), values.end());
  count_ += rows;
}

void AttendedRows::KeepLast(size_t count) {
  const size_t drop = count_ > count ? count_ - count : 0;
  values_.erase(values_.begin(), values_.begin() + static_cast<ptrdiff_t>(drop * shape_.Width()));
  first_ += drop;
  count_ -= drop;
}

std::vector<float> AttendedRows::Attend(const std::vector<float>& queries, size_t rows, size_t window) const {
  static const audio::AttendFunction attend = audio::ChooseAttend();
  const size_t width = shape_.Width(), before = count_ - std::min(rows, count_);
  std::vector<float> out(rows * width);
  std::vector<float> scores(audio::kQueriesAtOnce * (count_ + audio::kBehindKeys));
  for (size_t t = 0; t < rows; t += audio::kQueriesAtOnce) {
    const size_t count = std::min(audio::kQueriesAtOnce, rows - t);
    audio::AttendHead head{};
    head.pitch = width;
    head.stride = room_;
    head.dim = shape_.dim;
    for (size_t q = 0; q < count; ++q) {
      head.end[q] = window > 0 ? before + t + q + 1 : count_;
      head.begin[q] = window > 0 && head.end[q] > window ? head.end[q] - window : 0;
    }
    for (size_t at = 0; at < width; at += shape_.dim) {
      head.queries = queries.data() + t * width + at;
      head.keys = keys_.data() + at * room_ + first_;
      head.values = values_.data() + at;
      head.out = out.data() + t * width + at;
      attend(head, count, scores.data());
    }
  }
  return out;
}

}  // namespace vqc::nn
