// SPDX-License-Identifier: Apache-2.0
#include "quantizers/search/draw_rows.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <unordered_set>

namespace vqc {

std::vector<int64_t> DrawDistinct(int64_t count, int64_t bound, const HashRandom& random) {
  std::unordered_set<int64_t> drawn;
  drawn.reserve(static_cast<size_t>(count));
  for (int64_t last = bound - count; last < bound; ++last) {
    const int64_t some = random.Below(static_cast<uint64_t>(last), last + 1);
    if (!drawn.insert(some).second) drawn.insert(last);
  }
  std::vector<int64_t> rows(drawn.begin(), drawn.end());
  std::sort(rows.begin(), rows.end());
  return rows;
}

void WeightedDraw::Offer(int64_t row, double weight) {
  if (!(weight > 0) || count_ == 0) return;
  const double u = random_.Uniform(static_cast<uint64_t>(row));
  // -log(u) >= 1 - u spares most rows the logarithm.
  if (heap_.size() == count_ && 1 - u > heap_.front().key * weight) return;
  const Key key{-std::log(u) / weight, row};
  if (heap_.size() == count_) {
    if (!(key < heap_.front())) return;
    std::pop_heap(heap_.begin(), heap_.end());
    heap_.back() = key;
  } else {
    heap_.push_back(key);
  }
  std::push_heap(heap_.begin(), heap_.end());
}

std::vector<int64_t> WeightedDraw::Rows() const {
  std::vector<Key> keys = heap_;
  std::sort(keys.begin(), keys.end());
  std::vector<int64_t> rows;
  for (const Key& key : keys) rows.push_back(key.row);
  return rows;
}

Result<std::vector<float>> Gather(const Rows& rows, const std::vector<int64_t>& which) {
  std::vector<float> gathered;
  gathered.reserve(which.size() * static_cast<size_t>(rows.cols));
  for (const int64_t row : which) {
    for (int64_t d = 0; d < rows.cols; ++d) {
      const float value = rows.Row(row)[d];
      if (!std::isfinite(value)) {
        return Error{ErrorCode::kUsage, "k-means: row " + std::to_string(row) + " holds " +
                                            (std::isnan(value) ? "NaN" : "infinity") + " at position " +
                                            std::to_string(d) + "; values must be finite"};
      }
      gathered.push_back(value);
    }
  }
  return gathered;
}

}  // namespace vqc
