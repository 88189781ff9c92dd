// SPDX-License-Identifier: Apache-2.0
// A head of attention. Each instruction set has a file of its own, whose type `Simd` makes the code here its
// own as well; each output is one chain of operations, the same everywhere and for any number of queries.
#pragma once

#include <cmath>
#include <cstddef>

#include "base/kernels/elementwise.h"

namespace vqc::audio {

inline constexpr size_t kQueriesAtOnce = 4;
inline constexpr size_t kBehindKeys = 32;  // floats behind the last key that are read, but do not matter

// Dimension d of the key at position p lies at keys[d * stride + p]; queries, values and outputs begin every
// `pitch` floats. Query q sees the positions from begin[q] to end[q] - 1, at least one; both rise with q.
struct AttendHead {
  const float *queries, *keys, *values;
  size_t pitch, stride, dim;
  float* out;
  size_t begin[kQueriesAtOnce], end[kQueriesAtOnce];

  size_t ScorePitch(size_t count) const { return end[count - 1] - begin[0] + kBehindKeys; }
};

// Adds to each output the mean of the values that its query sees, weighted by how well their keys fit.
// `scores` has room for `count` * ScorePitch(count) numbers. REQUIRES: count is from 1 to kQueriesAtOnce
using AttendFunction = void (*)(const AttendHead& head, size_t count, float* scores);
AttendFunction ChooseAttend();  // the best for this machine, as ChooseLinear
extern const AttendFunction kAttendPortable, kAttendAvx2, kAttendAvx512;

template <class Simd>
struct Attention {
  using Number = Elements<Simd>;
  using Vector = typename Simd::Vector;
  static constexpr size_t kLanes = Simd::kLanes;
  static constexpr size_t kSums = 8;  // of a product of query and key: term i goes to the sum i % kSums

  // Two vectors of positions for kCount queries: the scores of positions `first` and on.
  template <size_t kCount>
  static inline void ScorePair(const AttendHead& head, size_t first, float scale, float* scores,
                               size_t pitch) {
    Vector sums[kSums][kCount][2];
    for (size_t l = 0; l < kSums; ++l) {
      Vector sum[kCount][2] = {};
      for (size_t d = l; d < head.dim; d += kSums) {
        const float* keys = head.keys + d * head.stride + first;
        const Vector low = Number::Load(keys), high = Number::Load(keys + kLanes);
        for (size_t q = 0; q < kCount; ++q) {
          const float query = head.queries[q * head.pitch + d];
          sum[q][0] += query * low;
          sum[q][1] += query * high;
        }
      }
      for (size_t q = 0; q < kCount; ++q) {
        sums[l][q][0] = sum[q][0];
        sums[l][q][1] = sum[q][1];
      }
    }
    for (size_t q = 0; q < kCount; ++q) {
      for (size_t v = 0; v < 2; ++v) {
        for (size_t half = kSums / 2; half > 0; half /= 2) {
          for (size_t l = 0; l < half; ++l) sums[l][q][v] += sums[l + half][q][v];
        }
        Number::Store(sums[0][q][v] * scale, scores + q * pitch + v * kLanes);
      }
    }
  }

  // In place: numbers of each row to weights that add up to 1. The chains of several rows go side by side.
  template <size_t kCount>
  static inline void Softmax(float* const rows[kCount], const size_t counts[kCount]) {
    size_t all = counts[0];
    for (size_t q = 1; q < kCount; ++q) all = counts[q] < all ? counts[q] : all;
    float most[kCount], sums[kCount] = {};
    for (size_t q = 0; q < kCount; ++q) most[q] = rows[q][0];
    for (size_t j = 1; j < all; ++j) {
      for (size_t q = 0; q < kCount; ++q) most[q] = most[q] < rows[q][j] ? rows[q][j] : most[q];
    }
    for (size_t q = 0; q < kCount; ++q) {
      for (size_t j = all; j < counts[q]; ++j) most[q] = most[q] < rows[q][j] ? rows[q][j] : most[q];
      for (size_t j = 0; j < counts[q]; ++j) rows[q][j] -= most[q];
      Number::Exp(rows[q], counts[q]);
    }
    for (size_t j = 0; j < all; ++j) {
      for (size_t q = 0; q < kCount; ++q) sums[q] += rows[q][j];
    }
    for (size_t q = 0; q < kCount; ++q) {
      for (size_t j = all; j < counts[q]; ++j) sums[q] += rows[q][j];
      for (size_t j = 0; j < counts[q]; ++j) rows[q][j] /= sums[q];
    }
  }

  // kVectors vectors of columns of the values at positions `begin` to `end` - 1, for kCount queries whose
  // weights begin every `step` floats; the sums stay in registers.
  template <size_t kCount, size_t kVectors>
  static inline void AddVectors(const AttendHead& head, const float* weights, size_t step, size_t begin,
                                size_t end, size_t column, float* out) {
    Vector sums[kCount][kVectors];
    for (size_t q = 0; q < kCount; ++q) {
      for (size_t v = 0; v < kVectors; ++v)
        sums[q][v] = Number::Load(out + q * head.pitch + column + v * kLanes);
    }
    for (size_t j = begin; j < end; ++j) {
      const float* values = head.values + j * head.pitch + column;
      for (size_t v = 0; v < kVectors; ++v) {
        const Vector value = Number::Load(values + v * kLanes);
        for (size_t q = 0; q < kCount; ++q) sums[q][v] += weights[q * step + j - begin] * value;
      }
    }
    for (size_t q = 0; q < kCount; ++q) {
      for (size_t v = 0; v < kVectors; ++v)
        Number::Store(sums[q][v], out + q * head.pitch + column + v * kLanes);
    }
  }
  template <size_t kCount>
  static inline void AddWeighted(const AttendHead& head, const float* weights, size_t step, size_t begin,
                                 size_t end, float* out) {
    size_t d = 0;
    for (; d + 2 * kLanes <= head.dim; d += 2 * kLanes)
      AddVectors<kCount, 2>(head, weights, step, begin, end, d, out);
    for (; d + kLanes <= head.dim; d += kLanes)
      AddVectors<kCount, 1>(head, weights, step, begin, end, d, out);
    for (; d < head.dim; ++d) {
      for (size_t q = 0; q < kCount; ++q) {
        float& sum = out[q * head.pitch + d];
        for (size_t j = begin; j < end; ++j)
          sum += weights[q * step + j - begin] * head.values[j * head.pitch + d];
      }
    }
  }

  template <size_t kCount>
  static void Head(const AttendHead& head, float* scores) {
    const size_t first = head.begin[0], last = head.end[kCount - 1], pitch = head.ScorePitch(kCount);
    const float scale = 1 / std::sqrt(static_cast<float>(head.dim));
    for (size_t at = first; at < last; at += 2 * kLanes)
      ScorePair<kCount>(head, at, scale, scores + (at - first), pitch);
    // What all of them see, and what lies before and behind it.
    const size_t begin = head.begin[kCount - 1], end = head.end[0];
    float* own[kCount];
    size_t counts[kCount];
    for (size_t q = 0; q < kCount; ++q) {
      own[q] = scores + q * pitch + (head.begin[q] - first);
      counts[q] = head.end[q] - head.begin[q];
    }
    Softmax<kCount>(own, counts);
    for (size_t q = 0; q < kCount; ++q)
      AddWeighted<1>(head, own[q], 0, head.begin[q], begin, head.out + q * head.pitch);
    AddWeighted<kCount>(head, scores + (begin - first), pitch, begin, end, head.out);
    for (size_t q = 0; q < kCount; ++q)
      AddWeighted<1>(head, scores + q * pitch + (end - first), 0, end, head.end[q],
                     head.out + q * head.pitch);
  }

  static void Rows(const AttendHead& head, size_t count, float* scores) {
    if (count == kQueriesAtOnce && head.begin[count - 1] < head.end[0])
      return Head<kQueriesAtOnce>(head, scores);
    AttendHead one = head;
    for (size_t q = 0; q < count; ++q) {
      one.queries = head.queries + q * head.pitch;
      one.out = head.out + q * head.pitch;
      one.begin[0] = head.begin[q];
      one.end[0] = head.end[q];
      Head<1>(one, scores);
    }
  }
};

}  // namespace vqc::audio
