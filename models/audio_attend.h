// SPDX-License-Identifier: Apache-2.0
// A head of attention. Each instruction set has a file of its own, whose type `Simd` makes the code here its
// own as well; each output is one chain of operations, the same everywhere.
#pragma once

#include <cmath>
#include <cstddef>

#include "models/audio_elementwise.h"

namespace vqc::audio {

// Adds to out[dim] the mean of `count` values, weighted by how well their keys fit the query. Keys and values
// begin every `pitch` floats; `scores` has room for `count` numbers. REQUIRES: count >= 1
using AttendFunction = void (*)(const float* query, const float* keys, const float* values, size_t count,
                                size_t pitch, size_t dim, float* scores, float* out);
AttendFunction ChooseAttend();  // the best for this machine, as ChooseLinear
extern const AttendFunction kAttendPortable, kAttendAvx2, kAttendAvx512;

template <class Simd>
struct Attention {
  static inline float Dot(const float* a, const float* b, size_t count) {
    constexpr size_t kLanes = 8;
    float lanes[kLanes] = {};
    size_t i = 0;
    for (; i + kLanes <= count; i += kLanes) {
      for (size_t l = 0; l < kLanes; ++l) lanes[l] += a[i + l] * b[i + l];
    }
    for (; i < count; ++i) lanes[i % kLanes] += a[i] * b[i];
    for (size_t half = kLanes / 2; half > 0; half /= 2) {
      for (size_t l = 0; l < half; ++l) lanes[l] += lanes[l + half];
    }
    return lanes[0];
  }

  // kWide columns of all values; the sums stay in registers.
  template <size_t kWide>
  static inline void AddWeighted(const float* weights, const float* values, size_t count, size_t pitch,
                                 float* out) {
    float sums[kWide];
    for (size_t d = 0; d < kWide; ++d) sums[d] = out[d];
    for (size_t j = 0; j < count; ++j) {
      for (size_t d = 0; d < kWide; ++d) sums[d] += weights[j] * values[j * pitch + d];
    }
    for (size_t d = 0; d < kWide; ++d) out[d] = sums[d];
  }

  static void Head(const float* query, const float* keys, const float* values, size_t count, size_t pitch,
                   size_t dim, float* scores, float* out) {
    const float scale = 1 / std::sqrt(static_cast<float>(dim));
    for (size_t j = 0; j < count; ++j) scores[j] = Dot(query, keys + j * pitch, dim) * scale;
    float most = scores[0], sum = 0;
    for (size_t j = 1; j < count; ++j) most = most < scores[j] ? scores[j] : most;
    for (size_t j = 0; j < count; ++j) scores[j] -= most;
    Elements<Simd>::Exp(scores, count);
    for (size_t j = 0; j < count; ++j) sum += scores[j];
    for (size_t j = 0; j < count; ++j) scores[j] /= sum;
    size_t d = 0;
    for (; d + 32 <= dim; d += 32) AddWeighted<32>(scores, values + d, count, pitch, out + d);
    for (; d < dim; ++d) AddWeighted<1>(scores, values + d, count, pitch, out + d);
  }
};

}  // namespace vqc::audio
