// SPDX-License-Identifier: Apache-2.0
// Four vectors of 8 lanes. Compiled for AVX2 alone.
#include "entropy/rans/kernels.h"

#if defined(__AVX2__)
#include <immintrin.h>

#include <array>
#include <bit>

namespace vqc::rans {
namespace {

constexpr int kVectors = 4, kWidth = 8;

// For each set of lanes: from which word lane i takes its own (the lanes of the set take words in order), and
// which lanes come last, in order, when those of the set are moved to the end.
struct Moves {
  std::array<std::array<uint8_t, 8>, 256> expand{}, to_end{};
};
constexpr Moves kMoves = [] {
  Moves moves;
  for (unsigned set = 0; set < 256; ++set) {
    uint8_t taken = 0;
    const int count = std::popcount(set);
    for (uint8_t lane = 0; lane < 8; ++lane) {
      if (!(set >> lane & 1)) continue;
      moves.expand[set][lane] = taken;
      moves.to_end[set][static_cast<size_t>(8 - count + taken)] = lane;
      ++taken;
    }
  }
  return moves;
}();

inline __m256i Indices(const std::array<uint8_t, 8>& bytes) {
  return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(bytes.data())));
}

inline unsigned SetOf(__m256i lanes) {
  return static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(lanes)));
}

// Lanes where a >= b, unsigned.
inline __m256i AtLeast(__m256i a, __m256i b) { return _mm256_cmpeq_epi32(_mm256_max_epu32(a, b), a); }

// The low and the high halves of the 64-bit entries of `table` at `index`.
struct Halves {
  __m256i low, high;
};
inline Halves Gather(const uint64_t* table, __m256i index) {
  const auto* base = reinterpret_cast<const long long*>(table);
  const __m256 first = _mm256_castsi256_ps(_mm256_i32gather_epi64(base, _mm256_castsi256_si128(index), 8));
  const __m256 second =
      _mm256_castsi256_ps(_mm256_i32gather_epi64(base, _mm256_extracti128_si256(index, 1), 8));
  const auto in_order = [](__m256 halves) {
    return _mm256_permute4x64_epi64(_mm256_castps_si256(halves), 0xD8);
  };
  return {in_order(_mm256_shuffle_ps(first, second, 0x88)), in_order(_mm256_shuffle_ps(first, second, 0xDD))};
}

inline __m256i Refill(__m256i x, const uint8_t*& next) {
  const __m256i low = _mm256_cmpeq_epi32(_mm256_srli_epi32(x, 16), _mm256_setzero_si256());
  const unsigned set = SetOf(low);
  const __m256i words = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(next)));
  const __m256i own = _mm256_permutevar8x32_epi32(words, Indices(kMoves.expand[set]));
  next += 2 * std::popcount(set);
  return _mm256_blendv_epi8(x, _mm256_or_si256(_mm256_slli_epi32(x, 16), own), low);
}

size_t Decode(const DecodeTable& table, uint32_t* states, const uint8_t*& next, const uint8_t* end,
              uint32_t* out, size_t steps) {
  const __m256i mask = _mm256_set1_epi32((1 << table.coarse_bits) - 1), one = _mm256_set1_epi32(1);
  const __m256i low16 = _mm256_set1_epi32(0xFFFF), low24 = _mm256_set1_epi32(0xFFFFFF);
  const __m128i coarse = _mm_cvtsi32_si128(static_cast<int>(table.coarse_bits));
  __m256i x[kVectors], high[kVectors];
  for (int v = 0; v < kVectors; ++v) {
    x[v] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(states + v * kWidth));
  }
  const uint8_t* at = next;
  size_t step = 0;
  for (; step < steps && static_cast<size_t>(end - at) >= kStepBytes + kSlackBytes;
       ++step, out += kWideLanes) {
    for (int v = 0; v < kVectors; ++v) {
      const Halves slot = Gather(table.slots.data(), _mm256_and_si256(x[v], mask));
      high[v] = slot.high;
      x[v] = _mm256_add_epi32(
          _mm256_mullo_epi32(_mm256_and_si256(slot.low, low16), _mm256_srl_epi32(x[v], coarse)),
          _mm256_srli_epi32(slot.low, 16));
    }
    for (int v = 0; v < kVectors; ++v) x[v] = Refill(x[v], at);
    for (int v = 0; v < kVectors; ++v) {
      __m256i rank = _mm256_and_si256(high[v], low24);
      if (table.fine) {
        const __m256i bits = _mm256_srli_epi32(high[v], 24);
        const __m256i below = _mm256_sub_epi32(_mm256_sllv_epi32(one, bits), one);
        rank = _mm256_add_epi32(rank, _mm256_and_si256(x[v], below));
        x[v] = Refill(_mm256_srlv_epi32(x[v], bits), at);
      }
      if (table.symbols) rank = _mm256_i32gather_epi32(reinterpret_cast<const int*>(table.symbols), rank, 4);
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + v * kWidth), rank);
    }
  }
  next = at;
  for (int v = 0; v < kVectors; ++v) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(states + v * kWidth), x[v]);
  }
  return step;
}

// Writes the low words of the lanes in `full` before `next`, and rubbish before those, and takes them off x.
inline __m256i Emit(__m256i x, __m256i full, uint8_t*& next) {
  const unsigned set = SetOf(full);
  const __m256i words = _mm256_and_si256(_mm256_permutevar8x32_epi32(x, Indices(kMoves.to_end[set])),
                                         _mm256_set1_epi32(0xFFFF));
  const __m128i packed = _mm_packus_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(next - sizeof(packed)), packed);
  next -= 2 * std::popcount(set);
  return _mm256_blendv_epi8(x, _mm256_srli_epi32(x, 16), full);
}

size_t Encode(const EncodeTable& table, uint32_t* states, uint8_t* begin, uint8_t*& next,
              const uint32_t* symbols, size_t steps) {
  const __m256i low16 = _mm256_set1_epi32(0xFFFF), word = _mm256_set1_epi32(32),
                zero = _mm256_setzero_si256();
  const __m256i low_place = _mm256_set1_epi32((1 << kFineShift) - 1), low4 = _mm256_set1_epi32(0xF);
  const __m128i coarse = _mm_cvtsi32_si128(static_cast<int>(table.coarse_bits));
  const __m128i rest = _mm_cvtsi32_si128(32 - static_cast<int>(table.coarse_bits));
  const auto* places = reinterpret_cast<const int*>(table.places.data());
  __m256i x[kVectors], place[kVectors];
  for (int v = 0; v < kVectors; ++v) {
    x[v] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(states + v * kWidth));
  }
  uint8_t* at = next;
  size_t left = steps;
  for (; left > 0 && static_cast<size_t>(at - begin) >= kStepBytes + kSlackBytes; --left) {
    const uint32_t* from = symbols + (left - 1) * kWideLanes;
    for (int v = kVectors; v-- > 0;) {
      const __m256i ids = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + v * kWidth));
      place[v] = _mm256_i32gather_epi32(places, ids, 4);
      if (!table.fine) continue;
      const __m256i bits = _mm256_and_si256(_mm256_srli_epi32(place[v], kFineShift), low4);
      const __m256i above = _mm256_srlv_epi32(x[v], _mm256_sub_epi32(word, bits));
      x[v] = Emit(x[v], _mm256_xor_si256(_mm256_cmpeq_epi32(above, zero), _mm256_set1_epi32(-1)), at);
      x[v] = _mm256_or_si256(_mm256_sllv_epi32(x[v], bits), _mm256_and_si256(place[v], low_place));
    }
    for (int v = kVectors; v-- > 0;) {
      const Halves band = Gather(table.bands.data(), _mm256_srli_epi32(place[v], kBandShift));
      const __m256i frequency = _mm256_and_si256(band.low, low16), start = _mm256_srli_epi32(band.low, 16);
      x[v] = Emit(x[v], AtLeast(_mm256_srl_epi32(x[v], rest), frequency), at);
      const __m256i even = _mm256_srli_epi64(_mm256_mul_epu32(x[v], band.high), 32);
      const __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64(x[v], 32), _mm256_srli_epi64(band.high, 32));
      __m256i quotient = _mm256_blend_epi32(even, odd, 0xAA);
      __m256i remainder = _mm256_sub_epi32(x[v], _mm256_mullo_epi32(quotient, frequency));
      const __m256i one_less = AtLeast(remainder, frequency);
      quotient = _mm256_sub_epi32(quotient, one_less);
      remainder = _mm256_sub_epi32(remainder, _mm256_and_si256(one_less, frequency));
      x[v] = _mm256_add_epi32(_mm256_sll_epi32(quotient, coarse), _mm256_add_epi32(remainder, start));
    }
  }
  next = at;
  for (int v = 0; v < kVectors; ++v) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(states + v * kWidth), x[v]);
  }
  return steps - left;
}

}  // namespace

const Kernels kAvx2Kernels{"avx2", &Decode, &Encode};

}  // namespace vqc::rans

#else

namespace vqc::rans {

const Kernels kAvx2Kernels{"avx2", nullptr, nullptr};

}  // namespace vqc::rans

#endif
