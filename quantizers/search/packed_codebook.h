// SPDX-License-Identifier: Apache-2.0
// A codebook in 16-bit integers, for the filter that docs/search.md describes.
//
// Codewords are moved so that `centre` is the origin (cosine: after scaling them to length 1), sorted by
// their length and cut into groups. In a group, codeword c' is close to scale * code with integers |code| <=
// 2^15 in length, and its score for a query x' is
//
//   x'c' - |c'|^2 / 2   (kSquaredL2; the greatest score has the least distance)
//   x'c'                (else)
//
// Codes lie as [panel][pair of dimensions][codeword of the panel][dimension of the pair], which is what
// multiply-add instructions for pairs of int16 take.
#pragma once

#include <vector>

#include "quantizers/search/aligned_array.h"
#include "quantizers/search/codebook.h"

namespace vqc {

inline constexpr int kPanel = 32;         // codewords of a panel
inline constexpr int kMaxPanels = 8;      // panels of a group
inline constexpr double kLength = 32000;  // of the longest vector of a group or block, in units of its scale

struct CodeGroup {
  const int16_t* codes = nullptr;  // [panels][pairs][kPanel][2]
  const float* bias =
      nullptr;  // [panels][kPanel]: -|c'|^2 / (2 scale^2); -infinity where there is no codeword
  const int32_t* ids = nullptr;  // [panels][kPanel]
  int panels = 0, pairs = 0;

  double scale = 1;
  double code_length = 0;       // most |scale * code|
  double max_length = 0;        // most |c'|
  double min_half_square = 0;   // least |c'|^2 / 2; 0 unless kSquaredL2
  double max_half_square = 0;   // most of the same
  double error_per_length = 0;  // bound of the error of a score for each unit of |x'|
  double error = 0;             // and what is independent of x'
};

struct PackedCodebook {
  Metric metric = Metric::kSquaredL2;
  int64_t size = 0, dim = 0;
  std::vector<float> rows;  // [size][dim]

  std::vector<double> centre;        // [dim]; subtracted from codewords
  std::vector<double> query_centre;  // [dim]; subtracted from queries: the same for kSquaredL2, else 0
  double rounding = 0;               // relative error of any sum of the metric's definition
  std::vector<CodeGroup> groups;     // by rising length
  AlignedArray<int16_t> codes;
  AlignedArray<float> bias;
  AlignedArray<int32_t> ids;

  const float* Row(int64_t i) const { return rows.data() + i * dim; }
};

// Fills all that follows `rows`.
void Pack(PackedCodebook& codebook);

}  // namespace vqc
