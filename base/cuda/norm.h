// SPDX-License-Identifier: Apache-2.0
// Group norm (Wu and He 2018, arXiv 1803.08494) of pictures on a GPU, a function of the CUDA part
// (libvqcodec_cuda.so), with what is still to be added before it and an activation behind it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vqc::nn {

// s = x + skip + bias[c];  y = f(norm(s)), where f is silu or nothing. All of x, skip, sum and y are dense
// [batch][channels][positions], or with `channels_last` [batch][positions][channels]. Sums are float32 in a
// fixed order, those of many positions float64.
struct NormPass {
  const void* x = nullptr;
  const void* skip = nullptr;   // null: none
  const float* bias = nullptr;  // [channels]; null: none
  void* sum = nullptr;          // s goes there; null: nowhere. REQUIRES: not null where there is a skip
  void* y = nullptr;            // null: s alone is wanted, and of the rest nothing is needed
  const float *weight = nullptr, *shift = nullptr;  // [channels] of the norm
  int64_t each = 0;            // values from those of a picture to the next one's; 0: the same
  float* workspace = nullptr;  // NormFloats() of them
  int64_t batch = 0, channels = 0, positions = 0;
  int64_t groups = 1;
  float epsilon = 0;
  bool silu = false, channels_last = false;
  bool bfloat16 = false;  // x, skip, sum and y; else float32
  int device = 0;
};

// Positions whose sums are made on their own.
constexpr int64_t PositionsOfPart(const NormPass& pass) {
  return !pass.channels_last ? 8192 : pass.positions <= 4096 ? 64 : 512;
}
constexpr int64_t PartsOf(const NormPass& pass) {
  return (pass.positions + PositionsOfPart(pass) - 1) / PositionsOfPart(pass);
}
// Of each channel: a sum and one of squares for each part, what both are counted from, a scale and a shift.
constexpr size_t NormFloats(const NormPass& pass) {
  return static_cast<size_t>(pass.batch * pass.channels * (2 * PartsOf(pass) + 3));
}

// In the CUDA part: on the stream of the caller. Null, or what went wrong.
const char* RunNorm(const NormPass& pass, void* stream);

}  // namespace vqc::nn
