// SPDX-License-Identifier: Apache-2.0
#include "quantizers/search/kmeans_init.h"

#include <algorithm>
#include <limits>

#include "quantizers/search/draw_rows.h"

namespace vqc {
namespace {

constexpr int64_t kShare = 8;  // of the centres that there are are drawn at a time
constexpr int64_t kSampleRows = 1 << 16,
                  kSampleFactor = 8;  // rows that are looked at: at least, and for each centre

Result<std::vector<float>> PlusPlus(const Rows& rows, const KMeansOptions& options, ClusterPass& pass) {
  const int64_t dim = rows.cols;
  VQC_ASSIGN(std::vector<float> centres,
             pass.Gather({HashRandom(options.seed, StreamOf(Draw::kFirst)).Below(0, rows.rows)}));
  std::vector<double> nearest(static_cast<size_t>(rows.rows), std::numeric_limits<double>::infinity());
  int64_t measured = 0;
  for (int64_t round = 0;; ++round) {
    const int64_t there = static_cast<int64_t>(centres.size()) / dim;
    if (there == options.clusters) return centres;
    const int64_t count = std::min(std::max<int64_t>(1, there / kShare), options.clusters - there);
    WeightedDraw draw(count, HashRandom(options.seed, StreamOf(Draw::kPlusPlus, round)));
    VQC_TRY(pass.Begin(centres.data() + measured * dim, there - measured));
    VQC_TRY(pass.Add(rows, 0, /*sum=*/false, [&](const ClusterPass::Slab& slab) {
      for (int64_t i = 0; i < slab.rows; ++i) {
        double& distance = nearest[static_cast<size_t>(slab.begin + i)];
        distance = std::min(distance, slab.distances[i]);
        draw.Offer(slab.begin + i, distance);
      }
    }));
    measured = there;
    std::vector<int64_t> drawn = draw.Rows();
    // No more distinct rows: any will do, and its cluster stays empty.
    if (drawn.empty()) drawn.assign(static_cast<size_t>(options.clusters - there), 0);
    VQC_ASSIGN(const std::vector<float> more, pass.Gather(drawn));
    centres.insert(centres.end(), more.begin(), more.end());
  }
}

}  // namespace

Result<std::vector<float>> FirstCentres(const Rows& rows, const KMeansOptions& options, ClusterPass& pass,
                                        const MakeClusterPass& make) {
  const int64_t wanted = options.init == KMeansInit::kRandom
                             ? options.clusters
                             : std::max(kSampleRows, kSampleFactor * options.clusters);
  const int64_t count = std::min(wanted, rows.rows);
  const auto which = DrawDistinct(count, rows.rows, HashRandom(options.seed, StreamOf(Draw::kSample)));
  VQC_ASSIGN(std::vector<float> sample, pass.Gather(which));
  if (options.init == KMeansInit::kRandom) return sample;
  const Rows of_sample(sample.data(), count, rows.cols);
  VQC_ASSIGN(const auto sample_pass, make(of_sample));
  return PlusPlus(of_sample, options, *sample_pass);
}

}  // namespace vqc
