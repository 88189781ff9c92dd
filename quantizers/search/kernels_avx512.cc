// SPDX-License-Identifier: Apache-2.0
// Compiled for AVX-512 F, BW, DQ, VL and VNNI: no inline function of a header may be used here, since the
// linker could take this file's copy of it for processors without them.
#include <immintrin.h>

#include "quantizers/search/kernels.h"

namespace vqc {
namespace {

constexpr int kLanes = 16;

__m512i Start(const float* bias, __m512 ratio) {
  return _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_load_ps(bias), ratio));
}

// Lane q: the greatest lane of v[q].
__m256i MaximaOf(const __m512i v[kBlock]) {
  __m512i pair[4], quad[2];
  for (int i = 0; i < 4; ++i) {
    pair[i] = _mm512_max_epi32(_mm512_unpacklo_epi32(v[2 * i], v[2 * i + 1]),
                               _mm512_unpackhi_epi32(v[2 * i], v[2 * i + 1]));
  }
  for (int i = 0; i < 2; ++i) {
    quad[i] = _mm512_max_epi32(_mm512_unpacklo_epi64(pair[2 * i], pair[2 * i + 1]),
                               _mm512_unpackhi_epi64(pair[2 * i], pair[2 * i + 1]));
  }
  const __m512i half = _mm512_max_epi32(_mm512_shuffle_i64x2(quad[0], quad[1], 0x88),
                                        _mm512_shuffle_i64x2(quad[0], quad[1], 0xDD));
  const __m512i whole = _mm512_max_epi32(half, _mm512_shuffle_i64x2(half, half, 0xB1));
  return _mm512_castsi512_si256(_mm512_shuffle_i64x2(whole, whole, 0x08));
}

// kPairs = 0: any number of pairs.
template <int kPairs>
void Score(const CodeGroup& group, const int16_t* block, float ratio, Tops* tops, int32_t* maxima) {
  const int pairs = kPairs > 0 ? kPairs : group.pairs;
  const auto* queries = reinterpret_cast<const int32_t*>(block);
  const __m512 ratios = _mm512_set1_ps(ratio);
  __m512i most[kBlock];
  for (int q = 0; q < kBlock; ++q) most[q] = _mm512_set1_epi32(kNoCodeword);
  const int16_t* codes = group.codes;
  for (int panel = 0; panel < group.panels; ++panel) {
    __m512i low[kBlock], high[kBlock];
    low[0] = Start(group.bias + panel * kPanel, ratios);
    high[0] = Start(group.bias + panel * kPanel + kLanes, ratios);
    for (int q = 1; q < kBlock; ++q) {
      low[q] = low[0];
      high[q] = high[0];
    }
    for (int pair = 0; pair < pairs; ++pair, codes += 2 * kPanel) {
      const __m512i code_low = _mm512_load_si512(codes), code_high = _mm512_load_si512(codes + kPanel);
#pragma GCC unroll 8
      for (int q = 0; q < kBlock; ++q) {
        const __m512i x = _mm512_set1_epi32(queries[pair * kBlock + q]);
        low[q] = _mm512_dpwssd_epi32(low[q], x, code_low);
        high[q] = _mm512_dpwssd_epi32(high[q], x, code_high);
      }
    }
#pragma GCC unroll 8
    for (int q = 0; q < kBlock; ++q) {
      const __m512i top = _mm512_max_epi32(low[q], high[q]);
      _mm512_store_si512(tops[q][panel], top);
      most[q] = _mm512_max_epi32(most[q], top);
    }
  }
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(maxima), MaximaOf(most));
}

void ScoreAny(const CodeGroup& group, const int16_t* block, float ratio, Tops* tops, int32_t* maxima) {
  switch (group.pairs) {
    case 1:
      return Score<1>(group, block, ratio, tops, maxima);
    case 2:
      return Score<2>(group, block, ratio, tops, maxima);
    case 3:
      return Score<3>(group, block, ratio, tops, maxima);
    case 4:
      return Score<4>(group, block, ratio, tops, maxima);
    case 8:
      return Score<8>(group, block, ratio, tops, maxima);
    default:
      return Score<0>(group, block, ratio, tops, maxima);
  }
}

void FindAbove(const CodeGroup& group, const int16_t* block, int q, float ratio, const Tops& tops,
               int32_t threshold, Above& found) {
  const auto* queries = reinterpret_cast<const int32_t*>(block) + q;
  const __m512i least = _mm512_set1_epi32(threshold);
  const __m512 ratios = _mm512_set1_ps(ratio);
  found.count = 0;
  unsigned panels = 0;  // without branches, which nothing could foretell
  for (int panel = 0; panel < group.panels; ++panel) {
    const __mmask16 lanes = _mm512_cmpge_epi32_mask(_mm512_load_si512(tops[panel]), least);
    panels |= static_cast<unsigned>(lanes != 0) << panel;
  }
  for (; panels; panels &= panels - 1) {
    const int panel = __builtin_ctz(panels);
    const int16_t* codes = group.codes + int64_t{panel} * group.pairs * kPanel * 2;
    __m512i low = Start(group.bias + panel * kPanel, ratios);
    __m512i high = Start(group.bias + panel * kPanel + kLanes, ratios);
    for (int pair = 0; pair < group.pairs; ++pair, codes += 2 * kPanel) {
      const __m512i x = _mm512_set1_epi32(queries[pair * kBlock]);
      low = _mm512_dpwssd_epi32(low, x, _mm512_load_si512(codes));
      high = _mm512_dpwssd_epi32(high, x, _mm512_load_si512(codes + kPanel));
    }
    alignas(64) int32_t scores[kPanel];
    _mm512_store_si512(scores, low);
    _mm512_store_si512(scores + kLanes, high);
    // Not by vpcompressd, which is slow on some processors when it stores.
    uint32_t mask = _mm512_cmpge_epi32_mask(low, least);
    mask |= uint32_t{_mm512_cmpge_epi32_mask(high, least)} << kLanes;
    for (; mask; mask &= mask - 1) {
      const int i = __builtin_ctz(mask);
      found.positions[found.count] = panel * kPanel + i;
      found.scores[found.count++] = scores[i];
    }
  }
}

__mmask8 MaskOf(int64_t left) { return left >= 8 ? 0xFF : static_cast<__mmask8>((1 << left) - 1); }

double Centre(const float* x, const double* centre, int64_t dim, double* out) {
  __m512d sum = _mm512_setzero_pd();
  for (int64_t d = 0; d < dim; d += 8) {
    const __mmask8 mask = MaskOf(dim - d);
    const __m512d value = _mm512_sub_pd(_mm512_cvtps_pd(_mm256_maskz_loadu_ps(mask, x + d)),
                                        _mm512_maskz_loadu_pd(mask, centre + d));
    sum = _mm512_fmadd_pd(value, value, sum);
    _mm512_mask_storeu_pd(out + d, mask, value);
  }
  return _mm512_reduce_add_pd(sum);
}

double Quantize(const double* x, int64_t dim, double scale, int16_t* block) {
  const __m512d scales = _mm512_set1_pd(scale), inverse = _mm512_set1_pd(1 / scale);
  __m512d missed = _mm512_setzero_pd();
  auto* pairs = reinterpret_cast<int32_t*>(block);
  for (int64_t d = 0; d < dim; d += 8) {
    const __m512d value = _mm512_maskz_loadu_pd(MaskOf(dim - d), x + d);
    const __m256i code = _mm512_cvtpd_epi32(_mm512_mul_pd(value, inverse));
    const __m512d miss = _mm512_fnmadd_pd(_mm512_cvtepi32_pd(code), scales, value);
    missed = _mm512_fmadd_pd(miss, miss, missed);
    alignas(16) int32_t packed[4];
    _mm_store_si128(reinterpret_cast<__m128i*>(packed), _mm256_cvtepi32_epi16(code));
    const int64_t left = (dim - d + 1) / 2;
    for (int64_t i = 0; i < (left < 4 ? left : 4); ++i) pairs[(d / 2 + i) * kBlock] = packed[i];
  }
  return _mm512_reduce_add_pd(missed);
}

}  // namespace

const Kernels kAvx512Kernels = {&ScoreAny, &FindAbove, &Centre, &Quantize};

}  // namespace vqc
