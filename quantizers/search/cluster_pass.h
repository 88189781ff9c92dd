// SPDX-License-Identifier: Apache-2.0
// What k-means does with all of its rows, on one device: the closest centre of each, and sums by cluster.
// Every device gives the same numbers to the last bit.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/result.h"
#include "quantizers/search/rows.h"

namespace vqc {

class ClusterPass {
 public:
  // Rows begin ... begin + rows - 1 of a call of Add: their clusters, and the squared distances from the
  // centres of these, as in quantizers/search/cluster_sums.h.
  struct Slab {
    int64_t begin, rows;
    const int32_t* ids;
    const double* distances;
  };
  using Seen = std::function<void(const Slab&)>;

  virtual ~ClusterPass() = default;

  // Takes centres [count][D], and forgets all sums.
  virtual Status Begin(const float* centres, int64_t count) = 0;
  // Gives rows their clusters and hands them to `seen`, slab after slab in their order. With `sum` they are
  // added to the sums of their clusters, in that order. `first` is the number of the first row, for messages.
  virtual Status Add(const Rows& rows, int64_t first, bool sum, const Seen& seen) = 0;
  // Of all rows that were added since Begin: float64 sums [count][D] and numbers of rows [count], which stay
  // until the next call.
  struct Sums {
    const double* sums;
    const double* counts;
  };
  virtual Result<Sums> Finish() = 0;
  // Some of the rows that the pass was made for, one behind the other.
  virtual Result<std::vector<float>> Gather(const std::vector<int64_t>& which) = 0;
};

}  // namespace vqc
