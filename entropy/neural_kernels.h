// SPDX-License-Identifier: Apache-2.0
// The inner loops of the integer network, one file for each instruction set. All give equal results: sums of
// integers that cannot overflow have no order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vqc {

// Columns are taken this many at a time: widths are multiples.
constexpr size_t kNeuralBlock = 64;
// Weights of a product lie as [from / 4][to][4], so that one load holds 4 inputs of several outputs.
constexpr size_t kNeuralLane = 4;

struct NeuralKernels {
  const char* name;  // "scalar", "avx2", "avx512vnni"
  // sums[i] += rows[0][i] + rows[1][i] + ...; REQUIRES: width is a multiple of kNeuralBlock, no sum on the
  // way leaves 16 bits
  void (*add_rows)(const int8_t* const* rows, size_t count, size_t width, int16_t* sums);
  // sums[to] += weight * units[from] over all `from`. REQUIRES: outputs are a multiple of 16, inputs of 4;
  // units <= 127, weights >= -127
  void (*product)(const int8_t* weights, const uint8_t* units, size_t outputs, size_t inputs, int32_t* sums);
};

// Appends weights [outputs][inputs] to `packed` as a product wants them, with outputs of zeros up to
// `padded`.
void PackProduct(const int8_t* weights, size_t outputs, size_t padded, size_t inputs,
                 std::vector<int8_t>& packed);

extern const NeuralKernels kNeuralScalar;
#if defined(__x86_64__)
extern const NeuralKernels kNeuralAvx2, kNeuralAvx512;
#endif

// Those that this processor runs, the fastest first, the scalar ones last.
std::span<const NeuralKernels* const> UsableNeuralKernels();

// The fastest of them, or a lesser one that VQCODEC_ISA names: scalar or avx2.
const NeuralKernels& ChosenNeuralKernels();

}  // namespace vqc
