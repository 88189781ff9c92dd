// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

#include "quantizers/search/metric.h"
#include "quantizers/search/search.h"

namespace vqc {

struct Neighbour {
  double value;
  int64_t id;
};

// The k closest of what was offered, closest first; the order of the offers does not matter.
class NearestList {
 public:
  NearestList(Metric metric, int k) : metric_(metric), k_(k) {}

  void Clear() { count_ = 0; }
  void Offer(double value, int64_t id) {
    int at = count_;
    if (count_ == k_) {
      if (!IsCloser(metric_, value, id, list_[k_ - 1].value, list_[k_ - 1].id)) return;
      --at;
    } else {
      ++count_;
    }
    for (; at > 0 && IsCloser(metric_, value, id, list_[at - 1].value, list_[at - 1].id); --at) {
      list_[at] = list_[at - 1];
    }
    list_[at] = {value, id};
  }
  int count() const { return count_; }
  const Neighbour& operator[](int i) const { return list_[i]; }

 private:
  Metric metric_;
  int k_, count_ = 0;
  std::array<Neighbour, kMaxNeighbours> list_;
};

}  // namespace vqc
