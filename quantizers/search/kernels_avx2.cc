// SPDX-License-Identifier: Apache-2.0
// Compiled for AVX2: no inline function of a header may be used here, since the linker could take this file's
// copy of it for processors without it.
#include <immintrin.h>

#include "quantizers/search/kernels.h"

namespace vqc {
namespace {

constexpr int kLanes = 8, kQueries = 4;  // accumulators: kQueries x 2 vectors

__m256i Load(const void* from) { return _mm256_load_si256(static_cast<const __m256i*>(from)); }
void Store(void* to, __m256i value) { _mm256_store_si256(static_cast<__m256i*>(to), value); }

__m256i Start(const float* bias, __m256 ratio) {
  return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_load_ps(bias), ratio));
}

int32_t MaximumOf(__m256i v) {
  __m128i most = _mm_max_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  most = _mm_max_epi32(most, _mm_shuffle_epi32(most, 0x4E));
  return _mm_cvtsi128_si32(_mm_max_epi32(most, _mm_shuffle_epi32(most, 0xB1)));
}

// Scores of kQueries queries and 2 * kLanes codewords of a panel; raises `most` to their maxima.
void ScoreTile(const int16_t* codes, const float* bias, const int32_t* queries, int pairs, __m256 ratio,
               int32_t (*scores)[kGroupSize], __m256i* most) {
  __m256i low[kQueries], high[kQueries];
  low[0] = Start(bias, ratio);
  high[0] = Start(bias + kLanes, ratio);
  for (int q = 1; q < kQueries; ++q) {
    low[q] = low[0];
    high[q] = high[0];
  }
  for (int pair = 0; pair < pairs; ++pair, codes += 2 * kPanel) {
    const __m256i code_low = Load(codes), code_high = Load(codes + 2 * kLanes);
#pragma GCC unroll 4
    for (int q = 0; q < kQueries; ++q) {
      const __m256i x = _mm256_set1_epi32(queries[pair * kBlock + q]);
      low[q] = _mm256_add_epi32(low[q], _mm256_madd_epi16(x, code_low));
      high[q] = _mm256_add_epi32(high[q], _mm256_madd_epi16(x, code_high));
    }
  }
#pragma GCC unroll 4
  for (int q = 0; q < kQueries; ++q) {
    Store(scores[q], low[q]);
    Store(scores[q] + kLanes, high[q]);
    most[q] = _mm256_max_epi32(most[q], _mm256_max_epi32(low[q], high[q]));
  }
}

void Score(const CodeGroup& group, const int16_t* block, float ratio, int32_t (*scores)[kGroupSize],
           int32_t* maxima) {
  const auto* queries = reinterpret_cast<const int32_t*>(block);
  __m256i most[kBlock];
  for (int q = 0; q < kBlock; ++q) most[q] = _mm256_set1_epi32(kNoCodeword);
  for (int panel = 0; panel < group.panels; ++panel) {
    const int16_t* codes = group.codes + int64_t{panel} * group.pairs * kPanel * 2;
    for (int i = 0; i < kPanel; i += 2 * kLanes) {
      for (int q = 0; q < kBlock; q += kQueries) {
        const int at = panel * kPanel + i;
        ScoreTile(codes + 2 * i, group.bias + at, queries + q, group.pairs, _mm256_set1_ps(ratio),
                  reinterpret_cast<int32_t(*)[kGroupSize]>(scores[q] + at), most + q);
      }
    }
  }
  for (int q = 0; q < kBlock; ++q) maxima[q] = MaximumOf(most[q]);
}

int Above(const int32_t* scores, int count, int32_t threshold, int32_t* positions) {
  const __m256i below = _mm256_set1_epi32(threshold - 1);
  int found = 0;
  for (int i = 0; i < count; i += kLanes) {
    const __m256i reached = _mm256_cmpgt_epi32(Load(scores + i), below);
    for (int mask = _mm256_movemask_ps(_mm256_castsi256_ps(reached)); mask; mask &= mask - 1) {
      positions[found++] = i + __builtin_ctz(static_cast<unsigned>(mask));
    }
  }
  return found;
}

double SumOf(__m256d v) {
  const __m128d half = _mm_add_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd(v, 1));
  return _mm_cvtsd_f64(_mm_add_sd(half, _mm_unpackhi_pd(half, half)));
}

double Centre(const float* x, const double* centre, int64_t dim, double* out) {
  __m256d sums = _mm256_setzero_pd();
  int64_t d = 0;
  for (; d + 4 <= dim; d += 4) {
    const __m256d value = _mm256_sub_pd(_mm256_cvtps_pd(_mm_loadu_ps(x + d)), _mm256_loadu_pd(centre + d));
    _mm256_storeu_pd(out + d, value);
    sums = _mm256_add_pd(sums, _mm256_mul_pd(value, value));
  }
  double sum = SumOf(sums);
  for (; d < dim; ++d) {
    out[d] = static_cast<double>(x[d]) - centre[d];
    sum += out[d] * out[d];
  }
  return sum;
}

double Quantize(const double* x, int64_t dim, double scale, int16_t* block) {
  const __m256d scales = _mm256_set1_pd(scale), inverse = _mm256_set1_pd(1 / scale);
  __m256d missed = _mm256_setzero_pd();
  int64_t d = 0;
  for (; d < dim; d += 4) {
    alignas(32) double some[4] = {};
    for (int i = 0; i < 4 && d + i < dim; ++i) some[i] = x[d + i];
    const __m256d value = _mm256_load_pd(some);
    const __m128i code = _mm256_cvtpd_epi32(_mm256_mul_pd(value, inverse));
    const __m256d miss = _mm256_sub_pd(value, _mm256_mul_pd(scales, _mm256_cvtepi32_pd(code)));
    missed = _mm256_add_pd(missed, _mm256_mul_pd(miss, miss));
    alignas(16) int16_t packed[8];
    _mm_store_si128(reinterpret_cast<__m128i*>(packed), _mm_packs_epi32(code, code));
    for (int i = 0; i < 4 && d + i < dim; ++i) block[(d + i) / 2 * kBlock * 2 + i % 2] = packed[i];
  }
  return SumOf(missed);
}

}  // namespace

const Kernels kAvx2Kernels = {&Score, &Above, &Centre, &Quantize};

}  // namespace vqc
