// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "quantizers/search/hash_random.h"
#include "quantizers/search/rows.h"

namespace vqc {

// `count` distinct numbers below `bound`, all with the same probability, rising (Floyd's algorithm).
std::vector<int64_t> DrawDistinct(int64_t count, int64_t bound, const HashRandom& random);

// Draws up to `count` rows without replacement with probability proportional to their weights: those with the
// least -log(u) / weight (Efraimidis and Spirakis 2006). Rows of weight 0 are not drawn.
class WeightedDraw {
 public:
  WeightedDraw(int64_t count, const HashRandom& random)
      : count_(static_cast<size_t>(count)), random_(random) {}

  void Offer(int64_t row, double weight);
  std::vector<int64_t> Rows() const;  // as drawn: the first is what a draw of one would give

 private:
  struct Key {
    double key;
    int64_t row;
    bool operator<(const Key& other) const { return key != other.key ? key < other.key : row < other.row; }
  };
  size_t count_;
  HashRandom random_;
  std::vector<Key> heap_;  // the greatest key first
};

// The rows with these numbers, one behind the other. Error (kUsage): a value is NaN or infinity; names the
// row.
Result<std::vector<float>> Gather(const Rows& rows, const std::vector<int64_t>& which);

}  // namespace vqc
