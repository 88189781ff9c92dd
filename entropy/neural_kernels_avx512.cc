// SPDX-License-Identifier: Apache-2.0
// AVX-512 with VNNI: vpdpbusd adds four products of 8 bits to a sum of 32, exactly.
#include "entropy/neural_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <cstring>

namespace vqc {
namespace {

constexpr size_t kStep = 32;  // columns of a register of 16 bits
constexpr size_t kParts = kNeuralBlock / kStep;
constexpr size_t kOutputs = 16;  // sums of a register

__attribute__((target("avx512f,avx512bw"))) void AddRows(const int8_t* const* rows, size_t count,
                                                         size_t width, int16_t* sums) {
  for (size_t at = 0; at < width; at += kNeuralBlock) {
    __m512i sum[kParts];
    for (size_t p = 0; p < kParts; ++p) sum[p] = _mm512_loadu_si512(sums + at + p * kStep);
    for (size_t r = 0; r < count; ++r) {
      for (size_t p = 0; p < kParts; ++p) {
        const auto* row = reinterpret_cast<const __m256i*>(rows[r] + at + p * kStep);
        sum[p] = _mm512_add_epi16(sum[p], _mm512_cvtepi8_epi16(_mm256_loadu_si256(row)));
      }
    }
    for (size_t p = 0; p < kParts; ++p) _mm512_storeu_si512(sums + at + p * kStep, sum[p]);
  }
}

// `kGroups` registers of outputs at once, so that a unit is looked at once for all of them.
template <size_t kGroups>
__attribute__((target("avx512f,avx512bw,avx512vnni"))) void Columns(const int8_t* weights,
                                                                    const uint8_t* units, size_t outputs,
                                                                    size_t inputs, int32_t* sums) {
  __m512i sum[kGroups];
  for (size_t g = 0; g < kGroups; ++g) sum[g] = _mm512_loadu_si512(sums + g * kOutputs);
  for (size_t from = 0; from < inputs; from += kNeuralLane, weights += outputs * kNeuralLane) {
    int32_t four;
    std::memcpy(&four, units + from, sizeof four);
    if (four == 0) continue;
    const __m512i unit = _mm512_set1_epi32(four);
    for (size_t g = 0; g < kGroups; ++g) {
      sum[g] = _mm512_dpbusd_epi32(sum[g], unit, _mm512_loadu_si512(weights + g * kOutputs * kNeuralLane));
    }
  }
  for (size_t g = 0; g < kGroups; ++g) _mm512_storeu_si512(sums + g * kOutputs, sum[g]);
}

void Product(const int8_t* weights, const uint8_t* units, size_t outputs, size_t inputs, int32_t* sums) {
  size_t to = 0;
  for (; to + 8 * kOutputs <= outputs; to += 8 * kOutputs) {
    Columns<8>(weights + to * kNeuralLane, units, outputs, inputs, sums + to);
  }
  for (; to + 4 * kOutputs <= outputs; to += 4 * kOutputs) {
    Columns<4>(weights + to * kNeuralLane, units, outputs, inputs, sums + to);
  }
  for (; to < outputs; to += kOutputs)
    Columns<1>(weights + to * kNeuralLane, units, outputs, inputs, sums + to);
}

}  // namespace

const NeuralKernels kNeuralAvx512 = {"avx512vnni", &AddRows, &Product};

}  // namespace vqc
#endif
