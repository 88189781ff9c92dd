// SPDX-License-Identifier: Apache-2.0
// Compiled for AVX2: no inline function of a header may be used here, since the linker could take this file's
// copy of it for processors without it.
#include <immintrin.h>

#include "quantizers/search/kernels.h"

namespace vqc {
namespace {

constexpr int kLanes = 8, kQueries = 4;  // accumulators of many dimensions: kQueries x 2 vectors

__m256i Load(const void* from) { return _mm256_load_si256(static_cast<const __m256i*>(from)); }
void Store(void* to, __m256i value) { _mm256_store_si256(static_cast<__m256i*>(to), value); }

__m256i Start(const float* bias, __m256 ratio) {
  return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_load_ps(bias), ratio));
}

// Lane q: the greatest lane of v[q].
__m256i MaximaOf(const __m256i v[kBlock]) {
  __m256i pair[4], quad[2];
  for (int i = 0; i < 4; ++i) {
    pair[i] = _mm256_max_epi32(_mm256_unpacklo_epi32(v[2 * i], v[2 * i + 1]),
                               _mm256_unpackhi_epi32(v[2 * i], v[2 * i + 1]));
  }
  for (int i = 0; i < 2; ++i) {
    quad[i] = _mm256_max_epi32(_mm256_unpacklo_epi64(pair[2 * i], pair[2 * i + 1]),
                               _mm256_unpackhi_epi64(pair[2 * i], pair[2 * i + 1]));
  }
  return _mm256_max_epi32(_mm256_permute2x128_si256(quad[0], quad[1], 0x20),
                          _mm256_permute2x128_si256(quad[0], quad[1], 0x31));
}

void StoreMaxima(const CodeGroup& group, const Tops* tops, int32_t* maxima) {
  __m256i most[kBlock];
  for (int q = 0; q < kBlock; ++q) {
    most[q] = Load(tops[q][0]);
    for (int panel = 1; panel < group.panels; ++panel)
      most[q] = _mm256_max_epi32(most[q], Load(tops[q][panel]));
  }
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(maxima), MaximaOf(most));
}

const int16_t* CodesOf(const CodeGroup& group, int panel) {
  return group.codes + int64_t{panel} * group.pairs * kPanel * 2;
}

// Few dimensions: the codes of 2 * kLanes codewords stay in registers while the queries of the block pass.
template <int kPairs>
void ScoreShort(const CodeGroup& group, const int16_t* block, float ratio, Tops* tops, int32_t* maxima) {
  const auto* queries = reinterpret_cast<const int32_t*>(block);
  const __m256 ratios = _mm256_set1_ps(ratio);
  for (int panel = 0; panel < group.panels; ++panel) {
    for (int i = 0; i < kPanel; i += 2 * kLanes) {
      const int16_t* codes = CodesOf(group, panel) + 2 * i;
      const float* bias = group.bias + panel * kPanel + i;
      __m256i low[kPairs], high[kPairs];
#pragma GCC unroll 4
      for (int pair = 0; pair < kPairs; ++pair) {
        low[pair] = Load(codes + pair * 2 * kPanel);
        high[pair] = Load(codes + pair * 2 * kPanel + 2 * kLanes);
      }
      const __m256i start_low = Start(bias, ratios), start_high = Start(bias + kLanes, ratios);
#pragma GCC unroll 8
      for (int q = 0; q < kBlock; ++q) {
        __m256i sum_low = start_low, sum_high = start_high;
#pragma GCC unroll 4
        for (int pair = 0; pair < kPairs; ++pair) {
          const __m256i x = _mm256_set1_epi32(queries[pair * kBlock + q]);
          sum_low = _mm256_add_epi32(sum_low, _mm256_madd_epi16(x, low[pair]));
          sum_high = _mm256_add_epi32(sum_high, _mm256_madd_epi16(x, high[pair]));
        }
        const __m256i top = _mm256_max_epi32(sum_low, sum_high);
        Store(tops[q][panel], i == 0 ? top : _mm256_max_epi32(top, Load(tops[q][panel])));
      }
    }
  }
  StoreMaxima(group, tops, maxima);
}

// The greatest of 2 * kLanes codewords, lane by lane, for kQueries queries.
void ScoreTile(const int16_t* codes, const float* bias, const int32_t* queries, int pairs, __m256 ratio,
               __m256i* top) {
  __m256i low[kQueries], high[kQueries];
  low[0] = Start(bias, ratio);
  high[0] = Start(bias + kLanes, ratio);
#pragma GCC unroll 4
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
      // Each stays in its register: gcc 12 would pass them round by copies, a quarter of the loop.
      asm("" : "+x"(low[q]), "+x"(high[q]));
    }
  }
#pragma GCC unroll 4
  for (int q = 0; q < kQueries; ++q) top[q] = _mm256_max_epi32(low[q], high[q]);
}

void ScoreLong(const CodeGroup& group, const int16_t* block, float ratio, Tops* tops, int32_t* maxima) {
  const auto* queries = reinterpret_cast<const int32_t*>(block);
  const __m256 ratios = _mm256_set1_ps(ratio);
  for (int panel = 0; panel < group.panels; ++panel) {
    for (int q = 0; q < kBlock; q += kQueries) {
      __m256i first[kQueries], second[kQueries];
      const int16_t* codes = CodesOf(group, panel);
      const float* bias = group.bias + panel * kPanel;
      ScoreTile(codes, bias, queries + q, group.pairs, ratios, first);
      ScoreTile(codes + 4 * kLanes, bias + 2 * kLanes, queries + q, group.pairs, ratios, second);
      for (int i = 0; i < kQueries; ++i) Store(tops[q + i][panel], _mm256_max_epi32(first[i], second[i]));
    }
  }
  StoreMaxima(group, tops, maxima);
}

void Score(const CodeGroup& group, const int16_t* block, float ratio, Tops* tops, int32_t* maxima) {
  switch (group.pairs) {
    case 1:
      return ScoreShort<1>(group, block, ratio, tops, maxima);
    case 2:
      return ScoreShort<2>(group, block, ratio, tops, maxima);
    case 3:
      return ScoreShort<3>(group, block, ratio, tops, maxima);
    case 4:
      return ScoreShort<4>(group, block, ratio, tops, maxima);
    default:
      return ScoreLong(group, block, ratio, tops, maxima);
  }
}

void FindAbove(const CodeGroup& group, const int16_t* block, int q, float ratio, const Tops& tops,
               int32_t threshold, Above& found) {
  const auto* queries = reinterpret_cast<const int32_t*>(block) + q;
  const __m256i below = _mm256_set1_epi32(threshold - 1);
  const __m256 ratios = _mm256_set1_ps(ratio);
  found.count = 0;
  unsigned panels = 0;  // without branches, which nothing could foretell
  for (int panel = 0; panel < group.panels; ++panel) {
    const int lanes = _mm256_movemask_epi8(_mm256_cmpgt_epi32(Load(tops[panel]), below));
    panels |= static_cast<unsigned>(lanes != 0) << panel;
  }
  for (; panels; panels &= panels - 1) {
    const int panel = __builtin_ctz(panels);
    const int16_t* codes = CodesOf(group, panel);
    __m256i sums[kPanel / kLanes];
#pragma GCC unroll 4
    for (int i = 0; i < kPanel / kLanes; ++i)
      sums[i] = Start(group.bias + panel * kPanel + i * kLanes, ratios);
    for (int pair = 0; pair < group.pairs; ++pair, codes += 2 * kPanel) {
      const __m256i x = _mm256_set1_epi32(queries[pair * kBlock]);
#pragma GCC unroll 4
      for (int i = 0; i < kPanel / kLanes; ++i)
        sums[i] = _mm256_add_epi32(sums[i], _mm256_madd_epi16(x, Load(codes + i * 2 * kLanes)));
    }
    alignas(32) int32_t scores[kPanel];
    unsigned mask = 0;
#pragma GCC unroll 4
    for (int i = 0; i < kPanel / kLanes; ++i) {
      Store(scores + i * kLanes, sums[i]);
      const __m256 reached = _mm256_castsi256_ps(_mm256_cmpgt_epi32(sums[i], below));
      mask |= static_cast<unsigned>(_mm256_movemask_ps(reached)) << (i * kLanes);
    }
    for (; mask; mask &= mask - 1) {
      const int i = __builtin_ctz(mask);
      found.positions[found.count] = panel * kPanel + i;
      found.scores[found.count++] = scores[i];
    }
  }
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
  auto* pairs = reinterpret_cast<int32_t*>(block);
  for (int64_t d = 0; d < dim; d += 4, pairs += 2 * kBlock) {
    __m256d value;
    if (d + 4 <= dim) {
      value = _mm256_loadu_pd(x + d);
    } else {
      alignas(32) double last[4] = {};
      for (int64_t i = 0; d + i < dim; ++i) last[i] = x[d + i];
      value = _mm256_load_pd(last);
    }
    const __m128i code = _mm256_cvtpd_epi32(_mm256_mul_pd(value, inverse));
    const __m256d miss = _mm256_sub_pd(value, _mm256_mul_pd(scales, _mm256_cvtepi32_pd(code)));
    missed = _mm256_add_pd(missed, _mm256_mul_pd(miss, miss));
    const __m128i packed = _mm_packs_epi32(code, code);
    pairs[0] = _mm_cvtsi128_si32(packed);
    if (d + 2 < dim) pairs[kBlock] = _mm_extract_epi32(packed, 1);
  }
  return SumOf(missed);
}

}  // namespace

const Kernels kAvx2Kernels = {&Score, &FindAbove, &Centre, &Quantize};

}  // namespace vqc
