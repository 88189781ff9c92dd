// SPDX-License-Identifier: Apache-2.0
// Two vectors of 16 lanes. Compiled for AVX-512 F, BW and VL alone.
#include "entropy/rans/kernels.h"

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__)
#include <immintrin.h>

#include <bit>

namespace vqc::rans {
namespace {

constexpr int kVectors = 2, kWidth = 16;

// The low and the high halves of the 64-bit entries of `table` at `index`.
struct Halves {
  __m512i low, high;
};
inline Halves Gather(const uint64_t* table, __m512i index) {
  const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  const __m512i first = _mm512_i32gather_epi64(_mm512_castsi512_si256(index), table, 8);
  const __m512i second = _mm512_i32gather_epi64(_mm512_extracti64x4_epi64(index, 1), table, 8);
  return {_mm512_permutex2var_epi32(first, even, second),
          _mm512_permutex2var_epi32(first, _mm512_add_epi32(even, _mm512_set1_epi32(1)), second)};
}

inline __m512i Refill(__m512i x, const uint8_t*& next) {
  const __mmask16 low = _mm512_cmplt_epu32_mask(x, _mm512_set1_epi32(1 << 16));
  const __m512i words = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(next)));
  next += 2 * std::popcount(static_cast<uint32_t>(low));
  return _mm512_mask_or_epi32(x, low, _mm512_slli_epi32(x, 16), _mm512_maskz_expand_epi32(low, words));
}

template <bool kFine, bool kRanks>
size_t Decode(const DecodeTable& table, uint32_t* states, const uint8_t*& next, const uint8_t* end,
              uint32_t* out, size_t steps) {
  const __m512i mask = _mm512_set1_epi32((1 << table.coarse_bits) - 1), one = _mm512_set1_epi32(1);
  const __m512i low16 = _mm512_set1_epi32(0xFFFF), low24 = _mm512_set1_epi32(0xFFFFFF);
  const __m128i coarse = _mm_cvtsi32_si128(static_cast<int>(table.coarse_bits));
  __m512i x[kVectors], high[kVectors];
  for (int v = 0; v < kVectors; ++v) x[v] = _mm512_loadu_si512(states + v * kWidth);
  const uint8_t* at = next;
  size_t step = 0;
  for (; step < steps && static_cast<size_t>(end - at) >= kStepBytes + kSlackBytes;
       ++step, out += kWideLanes) {
    for (int v = 0; v < kVectors; ++v) {
      const Halves slot = Gather(table.slots.data(), _mm512_and_si512(x[v], mask));
      high[v] = slot.high;
      x[v] = _mm512_add_epi32(
          _mm512_mullo_epi32(_mm512_and_si512(slot.low, low16), _mm512_srl_epi32(x[v], coarse)),
          _mm512_srli_epi32(slot.low, 16));
    }
    for (int v = 0; v < kVectors; ++v) x[v] = Refill(x[v], at);
    for (int v = 0; v < kVectors; ++v) {
      __m512i rank = _mm512_and_si512(high[v], low24);
      if constexpr (kFine) {
        const __m512i bits = _mm512_srli_epi32(high[v], 24);
        const __m512i below = _mm512_sub_epi32(_mm512_sllv_epi32(one, bits), one);
        rank = _mm512_add_epi32(rank, _mm512_and_si512(x[v], below));
        x[v] = Refill(_mm512_srlv_epi32(x[v], bits), at);
      }
      _mm512_storeu_si512(out + v * kWidth, kRanks ? rank : _mm512_i32gather_epi32(rank, table.symbols, 4));
    }
  }
  next = at;
  for (int v = 0; v < kVectors; ++v) _mm512_storeu_si512(states + v * kWidth, x[v]);
  return step;
}

size_t DecodeAny(const DecodeTable& table, uint32_t* states, const uint8_t*& next, const uint8_t* end,
                 uint32_t* out, size_t steps) {
  if (table.symbols) {
    return table.fine ? Decode<true, false>(table, states, next, end, out, steps)
                      : Decode<false, false>(table, states, next, end, out, steps);
  }
  return table.fine ? Decode<true, true>(table, states, next, end, out, steps)
                    : Decode<false, true>(table, states, next, end, out, steps);
}

// Writes the low words of the lanes in `full` before `next` and takes them off x.
inline __m512i Emit(__m512i x, __mmask16 full, uint8_t*& next) {
  const __m256i words = _mm512_cvtepi32_epi16(_mm512_maskz_compress_epi32(full, x));
  const int count = std::popcount(static_cast<uint32_t>(full));
  next -= 2 * count;
  _mm256_mask_storeu_epi16(next, static_cast<__mmask16>((1u << count) - 1), words);
  return _mm512_mask_srli_epi32(x, full, x, 16);
}

size_t Encode(const EncodeTable& table, uint32_t* states, uint8_t* begin, uint8_t*& next,
              const uint32_t* symbols, size_t steps) {
  const __m512i low16 = _mm512_set1_epi32(0xFFFF), one = _mm512_set1_epi32(1), word = _mm512_set1_epi32(32);
  const __m512i low_place = _mm512_set1_epi32((1 << kFineShift) - 1), low4 = _mm512_set1_epi32(0xF);
  const __m128i coarse = _mm_cvtsi32_si128(static_cast<int>(table.coarse_bits));
  const __m128i rest = _mm_cvtsi32_si128(32 - static_cast<int>(table.coarse_bits));
  __m512i x[kVectors], place[kVectors];
  for (int v = 0; v < kVectors; ++v) x[v] = _mm512_loadu_si512(states + v * kWidth);
  uint8_t* at = next;
  size_t left = steps;
  for (; left > 0 && static_cast<size_t>(at - begin) >= kStepBytes + kSlackBytes; --left) {
    const uint32_t* from = symbols + (left - 1) * kWideLanes;
    for (int v = kVectors; v-- > 0;) {
      place[v] = _mm512_i32gather_epi32(_mm512_loadu_si512(from + v * kWidth), table.places.data(), 4);
      if (!table.fine) continue;
      const __m512i bits = _mm512_and_si512(_mm512_srli_epi32(place[v], kFineShift), low4);
      const __m512i above = _mm512_srlv_epi32(x[v], _mm512_sub_epi32(word, bits));
      x[v] = Emit(x[v], _mm512_test_epi32_mask(above, above), at);
      x[v] = _mm512_or_si512(_mm512_sllv_epi32(x[v], bits), _mm512_and_si512(place[v], low_place));
    }
    for (int v = kVectors; v-- > 0;) {
      const Halves band = Gather(table.bands.data(), _mm512_srli_epi32(place[v], kBandShift));
      const __m512i frequency = _mm512_and_si512(band.low, low16), start = _mm512_srli_epi32(band.low, 16);
      x[v] = Emit(x[v], _mm512_cmpge_epu32_mask(_mm512_srl_epi32(x[v], rest), frequency), at);
      const __m512i even = _mm512_srli_epi64(_mm512_mul_epu32(x[v], band.high), 32);
      const __m512i odd = _mm512_mul_epu32(_mm512_srli_epi64(x[v], 32), _mm512_srli_epi64(band.high, 32));
      __m512i quotient = _mm512_mask_blend_epi32(0xAAAA, even, odd);
      __m512i remainder = _mm512_sub_epi32(x[v], _mm512_mullo_epi32(quotient, frequency));
      const __mmask16 one_less = _mm512_cmpge_epu32_mask(remainder, frequency);
      quotient = _mm512_mask_add_epi32(quotient, one_less, quotient, one);
      remainder = _mm512_mask_sub_epi32(remainder, one_less, remainder, frequency);
      x[v] = _mm512_add_epi32(_mm512_sll_epi32(quotient, coarse), _mm512_add_epi32(remainder, start));
    }
  }
  next = at;
  for (int v = 0; v < kVectors; ++v) _mm512_storeu_si512(states + v * kWidth, x[v]);
  return steps - left;
}

}  // namespace

const Kernels kAvx512Kernels{"avx512", &DecodeAny, &Encode};

}  // namespace vqc::rans

#else

namespace vqc::rans {

const Kernels kAvx512Kernels{"avx512", nullptr, nullptr};

}  // namespace vqc::rans

#endif
