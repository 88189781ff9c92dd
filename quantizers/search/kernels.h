// SPDX-License-Identifier: Apache-2.0
// What the filter does with instructions of its own; one file for each instruction set. Integer arithmetic,
// so all give the same numbers.
#pragma once

#include <cstdint>

#include "quantizers/search/isa.h"
#include "quantizers/search/packed_codebook.h"

namespace vqc {

inline constexpr int kBlock = 8;                        // queries of a block
inline constexpr int kGroupSize = kMaxPanels * kPanel;  // most codewords of a group
inline constexpr int32_t kNoCodeword = INT32_MIN;       // the score of an empty place

struct Kernels {
  // scores[q][i] = bias[i] * ratio, rounded, + sum over the pairs of query[q] . code[i]; maxima[q] is the
  // greatest of the panels * kPanel scores of query q. A block is [pairs][kBlock][2] int16.
  // REQUIRES: no sum leaves int32 but that of an empty place, which is kNoCodeword.
  void (*score)(const CodeGroup& group, const int16_t* block, float ratio, int32_t (*scores)[kGroupSize],
                int32_t* maxima);
  // Positions i < count with scores[i] >= threshold, rising; returns how many.
  int (*above)(const int32_t* scores, int count, int32_t threshold, int32_t* positions);
  // out = x - centre; returns the sum of squares, which is not finite if and only if a value is not.
  double (*centre)(const float* x, const double* centre, int64_t dim, double* out);
  // Rounds x / scale to integers at block[pair][0]; returns |x - scale * integers|^2.
  double (*quantize)(const double* x, int64_t dim, double scale, int16_t* block);
};

extern const Kernels kPortableKernels;
extern const Kernels kAvx2Kernels;  // used only where IsSupported
extern const Kernels kAvx512Kernels;

const Kernels& KernelsOf(Isa isa);  // REQUIRES: isa is supported and not kSpecification

}  // namespace vqc
