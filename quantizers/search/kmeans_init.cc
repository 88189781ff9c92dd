// SPDX-License-Identifier: Apache-2.0
#include "quantizers/search/kmeans_init.h"

#include <algorithm>
#include <limits>

#include "base/parallel.h"
#include "quantizers/search/draw_rows.h"
#include "quantizers/search/search.h"

namespace vqc {
namespace {

constexpr int64_t kShare = 8;  // of the centres that there are are drawn at a time
constexpr int64_t kSampleRows = 1 << 16,
                  kSampleFactor = 8;  // rows that are looked at: at least, and for each centre

Result<std::vector<float>> PlusPlus(const Rows& rows, const KMeansOptions& options) {
  const int64_t dim = rows.cols;
  std::vector<float> centres =
      *Gather(rows, {HashRandom(options.seed, StreamOf(Draw::kFirst)).Below(0, rows.rows)});
  std::vector<double> nearest(static_cast<size_t>(rows.rows), std::numeric_limits<double>::infinity());
  std::vector<double> distances(nearest.size());
  std::vector<int32_t> ids(nearest.size());
  int64_t measured = 0;
  for (int64_t round = 0;; ++round) {
    const int64_t there = static_cast<int64_t>(centres.size()) / dim;
    if (there == options.clusters) return centres;
    VQC_ASSIGN(const Codebook added,
               Codebook::Make({centres.data() + measured * dim, there - measured, dim}));
    measured = there;
    VQC_TRY(Search(added, rows, std::span(ids), std::span(distances), {.threads = options.threads}));
    const int64_t count = std::min(std::max<int64_t>(1, there / kShare), options.clusters - there);
    WeightedDraw draw(count, HashRandom(options.seed, StreamOf(Draw::kPlusPlus, round)));
    for (size_t i = 0; i < nearest.size(); ++i) {
      nearest[i] = std::min(nearest[i], distances[i]);
      draw.Offer(static_cast<int64_t>(i), nearest[i]);
    }
    std::vector<int64_t> drawn = draw.Rows();
    // No more distinct rows: any will do, and its cluster stays empty.
    if (drawn.empty()) drawn.assign(static_cast<size_t>(options.clusters - there), 0);
    VQC_ASSIGN(const std::vector<float> more, Gather(rows, drawn));
    centres.insert(centres.end(), more.begin(), more.end());
  }
}

}  // namespace

Result<std::vector<float>> FirstCentres(const Rows& rows, const KMeansOptions& options) {
  const int64_t wanted = options.init == KMeansInit::kRandom
                             ? options.clusters
                             : std::max(kSampleRows, kSampleFactor * options.clusters);
  const int64_t count = std::min(wanted, rows.rows);
  const auto which = DrawDistinct(count, rows.rows, HashRandom(options.seed, StreamOf(Draw::kSample)));
  VQC_ASSIGN(std::vector<float> sample, Gather(rows, which));
  if (options.init == KMeansInit::kRandom) return sample;
  return PlusPlus({sample.data(), count, rows.cols}, options);
}

}  // namespace vqc
