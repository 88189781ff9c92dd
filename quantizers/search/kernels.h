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
inline constexpr int kTops = 16;                        // room for the tops of a panel
inline constexpr int32_t kNoCodeword = INT32_MIN;       // the score of an empty place

// Of a query and each panel of a group: some numbers of which the greatest is the panel's greatest score, as
// many as suit the instructions.
using Tops = int32_t[kMaxPanels][kTops];

// Codewords of a group and their scores for a query.
struct Above {
  int count = 0;
  int32_t positions[kGroupSize], scores[kGroupSize];
};

// The score of codeword i for query q of a block is bias[i] * ratio, rounded, + sum over the pairs of
// query[q] . code[i]. A block is [pairs][kBlock][2] int16.
// REQUIRES: no sum leaves int32 but that of an empty place, which is kNoCodeword.
struct Kernels {
  // tops[q] and the greatest score of every query of the block. Scores themselves stay in registers.
  void (*score)(const CodeGroup& group, const int16_t* block, float ratio, Tops* tops, int32_t* maxima);
  // The codewords whose score for query q is at least `threshold`, by rising position: computed again for the
  // panels whose tops say that there are any.
  void (*above)(const CodeGroup& group, const int16_t* block, int q, float ratio, const Tops& tops,
                int32_t threshold, Above& found);
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
