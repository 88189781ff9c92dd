// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "quantizers/search/cluster_pass.h"
#include "quantizers/search/kmeans.h"

namespace vqc {

// The streams of random numbers of a run.
enum class Draw : uint64_t { kFirst, kSample, kPlusPlus, kEmpty, kBatch };
inline uint64_t StreamOf(Draw draw, int64_t number = 0) {
  return (static_cast<uint64_t>(draw) << 56) + static_cast<uint64_t>(number);
}

// First centres [K][D].
//
// kPlusPlus (Arthur and Vassilvitskii, SODA 2007) draws a share of the centres at a time, at most one for
// eight that there are, by the distances to those before: as k-means|| does (Bahmani et al., VLDB 2012), so
// that the search works on many at once. Up to 16 centres are drawn one by one. Of many rows it takes a
// sample.
//
// `pass` has the rows; `make` makes one for the sample.
using MakeClusterPass = std::function<Result<std::shared_ptr<ClusterPass>>(const Rows&)>;
Result<std::vector<float>> FirstCentres(const Rows& rows, const KMeansOptions& options, ClusterPass& pass,
                                        const MakeClusterPass& make);

}  // namespace vqc
