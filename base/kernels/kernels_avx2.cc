// SPDX-License-Identifier: Apache-2.0
// Compiled with AVX2 and FMA; called only where the machine has both.
#if defined(__x86_64__)
#include <immintrin.h>

#include <cstdint>

#include "base/kernels/attend.h"
#include "base/kernels/elementwise.h"
#include "base/kernels/linear.h"
#include "base/kernels/plane_tiles.h"

namespace vqc::audio {
namespace {

struct Simd {
  using Vector [[gnu::vector_size(32)]] = float;
  using Bits [[gnu::vector_size(32)]] = uint32_t;
  static constexpr int kSums = 12;
  static constexpr int kLanes = 8;
  static Vector Load(const float* p) { return _mm256_loadu_ps(p); }
  static void Store(float* p, Vector v) { _mm256_storeu_ps(p, v); }
  static Vector Broadcast(float v) { return _mm256_set1_ps(v); }
  static Vector MultiplyAdd(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
  static void Prefetch(const float* p) { _mm_prefetch(reinterpret_cast<const char*>(p), _MM_HINT_T1); }
};

}  // namespace

const ElementFunctions kElementsAvx2 = Elements<Simd>::kAll;
const AttendFunction kAttendAvx2 = &Attention<Simd>::Rows;
const planes::PlaneFunctions kPlanesAvx2 = planes::Planes<Simd>::kAll;

void LinearAvx2(const float* x, size_t rows, size_t pitch, size_t in, const float* weights, const float* bias,
                size_t panels, float* y) {
  LinearOf<Simd, 6>(x, rows, pitch, in, weights, bias, panels, y);
}

void NarrowAvx2(const float* x, size_t rows, size_t pitch, size_t in, const float* weights, const float* bias,
                size_t out, float* y, float* turned) {
  NarrowOf<Simd>(x, rows, pitch, in, weights, bias, out, y, turned);
}

}  // namespace vqc::audio
#endif
