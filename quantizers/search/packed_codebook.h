// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "quantizers/search/codebook.h"

namespace vqc {

struct PackedCodebook {
  Metric metric = Metric::kSquaredL2;
  int64_t size = 0, dim = 0;
  std::vector<float> rows;  // [size][dim]

  const float* Row(int64_t i) const { return rows.data() + i * dim; }
};

}  // namespace vqc
