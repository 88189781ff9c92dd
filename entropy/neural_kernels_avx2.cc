// SPDX-License-Identifier: Apache-2.0
// With units of 7 bits the 16-bit sums of vpmaddubsw cannot saturate: 2 * 127 * 127 < 2^15.
#include "entropy/neural_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <cstring>

namespace vqc {
namespace {

constexpr size_t kStep = 16;  // columns of a register of 16 bits
constexpr size_t kParts = kNeuralBlock / kStep;

__attribute__((target("avx2"))) void AddRows(const int8_t* const* rows, size_t count, size_t width,
                                             int16_t* sums) {
  for (size_t at = 0; at < width; at += kNeuralBlock) {
    __m256i sum[kParts];
    for (size_t p = 0; p < kParts; ++p) {
      sum[p] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(sums + at + p * kStep));
    }
    for (size_t r = 0; r < count; ++r) {
      for (size_t p = 0; p < kParts; ++p) {
        const auto* row = reinterpret_cast<const __m128i*>(rows[r] + at + p * kStep);
        sum[p] = _mm256_add_epi16(sum[p], _mm256_cvtepi8_epi16(_mm_loadu_si128(row)));
      }
    }
    for (size_t p = 0; p < kParts; ++p) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums + at + p * kStep), sum[p]);
    }
  }
}

__attribute__((target("avx2"))) void Product(const int8_t* weights, const uint8_t* units, size_t outputs,
                                             size_t inputs, int32_t* sums) {
  constexpr size_t kOutputs = 16;
  const __m256i ones = _mm256_set1_epi16(1);
  for (size_t to = 0; to < outputs; to += kOutputs) {
    auto* place = reinterpret_cast<__m256i*>(sums + to);
    __m256i low = _mm256_loadu_si256(place), high = _mm256_loadu_si256(place + 1);
    for (size_t from = 0; from < inputs; from += kNeuralLane) {
      int32_t four;
      std::memcpy(&four, units + from, sizeof four);
      if (four == 0) continue;
      const __m256i unit = _mm256_set1_epi32(four);
      const auto* row =
          reinterpret_cast<const __m256i*>(weights + (from / kNeuralLane * outputs + to) * kNeuralLane);
      low =
          _mm256_add_epi32(low, _mm256_madd_epi16(_mm256_maddubs_epi16(unit, _mm256_loadu_si256(row)), ones));
      high = _mm256_add_epi32(
          high, _mm256_madd_epi16(_mm256_maddubs_epi16(unit, _mm256_loadu_si256(row + 1)), ones));
    }
    _mm256_storeu_si256(place, low);
    _mm256_storeu_si256(place + 1, high);
  }
}

}  // namespace

const NeuralKernels kNeuralAvx2 = {"avx2", &AddRows, &Product};

}  // namespace vqc
#endif
