// SPDX-License-Identifier: Apache-2.0
// How codewords and queries lie in memory for the tensor cores, and the constants that both sides share.
//
// A codeword is D numbers of float16 and kSlots more, so that one matrix product gives
//
//   V = offset + multiplier * |C|^2 / 2 - X * C
//
// for scaled queries X and codewords C: least where the codeword is closest, and never far below 0. Rows of
// 16 bytes (8 numbers) of 8 neighbouring vectors lie together: the order in which wgmma, ldmatrix and bulk
// copies all like them best.
#pragma once

#include <cuda_fp16.h>

#include <cstdint>

#include "quantizers/search/metric.h"

namespace vqc::cuda {

inline constexpr int kTileCodes = 128;  // codewords of a tile
inline constexpr int kSlots = 4;  // three pieces of |C|^2 / 2, and 1 for the offset; infinity: no answer

__host__ __device__ constexpr int PaddedDim(int dim) { return (dim + kSlots + 15) / 16 * 16; }

// Vectors are scaled by a power of two to elements below 2^SpanExponent(D), hence to a norm of at most 128.
__host__ __device__ constexpr int SpanExponent(int dim) {
  return dim <= 1 ? 7 : dim <= 4 ? 6 : dim <= 16 ? 5 : dim <= 64 ? 4 : dim <= 256 ? 3 : 2;
}

// What is known of a packed codebook. The floats are maxima over the codewords.
struct CodebookHeader {
  unsigned long long bad_row;  // the first row with a value that is not finite; ~0 where there is none
  float max_abs;               // |c - center|, per element, before scaling
  float norm;                  // |C|
  float residual;              // |C - its float16 numbers|
  float half_residual;         // ||C|^2 / 2 - its three pieces|
};

// Not negative, so their order is that of their bits.
__device__ inline void AtomicMax(float* to, float value) {
  atomicMax(reinterpret_cast<int*>(to), __float_as_int(value));
}

// The exponent e with 2^(e-1) <= value < 2^e. REQUIRES: value > 0, finite.
__device__ inline int ExponentAbove(float value) {
  int e;
  frexpf(value, &e);
  return e;
}

// Numbers within these can be scaled by one float32 factor; rows beyond them go to the exact kernel.
inline constexpr float kLeastScalable = 1e-36f, kMostScalable = 1e38f;

__device__ inline bool Scalable(float max_abs) {
  return max_abs == 0 || (max_abs >= kLeastScalable && max_abs <= kMostScalable);
}

// 2^exponent. REQUIRES: -126 <= exponent <= 127.
__device__ inline float PowerOfTwo(int exponent) { return __int_as_float((127 + exponent) << 23); }

// Codewords are scaled by 2^CodebookExponent; for the cosine they have norm 64 instead.
__device__ inline int CodebookExponent(Metric metric, const CodebookHeader& header, int dim) {
  const bool usable = metric != Metric::kCosine && header.max_abs > 0 && Scalable(header.max_abs);
  return usable ? SpanExponent(dim) - ExponentAbove(header.max_abs) : 0;
}

}  // namespace vqc::cuda
