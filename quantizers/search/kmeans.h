// SPDX-License-Identifier: Apache-2.0
// k-means: centres that a seed gives again on every run, whatever the number of threads.
//
// Assignments are exact (quantizers/search/metric.h), sums are float64 in the order of the rows, and random
// numbers are a hash of seed, purpose and index. So a run that goes on from its state gives the same as one
// that was never interrupted.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/result.h"
#include "quantizers/search/cluster_pass.h"
#include "quantizers/search/rows.h"

namespace vqc {

enum class KMeansInit {
  kPlusPlus,  // rows drawn with probability proportional to their squared distance from the centres so far
  kRandom,    // distinct rows, all with the same probability
};

struct KMeansOptions {
  int64_t clusters = 0;  // K, at most 2^20 and at most the number of rows
  KMeansInit init = KMeansInit::kPlusPlus;
  // Passes at most. Lloyd's algorithm (Lloyd 1982) is over once the inertia falls by less than `tolerance` of
  // itself; 0: only when it falls no more.
  int64_t passes = 25;
  double tolerance = 1e-4;
  // Rows of a mini-batch (Sculley, WWW 2010); 0: all rows at a time, which is Lloyd's algorithm. A pass is as
  // many batches as hold the number of rows.
  int64_t batch = 0;
  // Clusters of like size: a row goes to the nearest of its 16 nearest centres whose cluster has not had 1.1
  // times its share of the rows so far. Meant for rows in random order.
  bool balanced = false;
  uint64_t seed = 1;
  int threads = 0;  // 0: one for each core
  // Where rows are compared and summed: -1 the CPU, else the GPU of that number, which gives the same
  // centres. `balanced` is for the CPU.
  int device = -1;
  // Called now and then with the rows of this pass that are done.
  std::function<void(int64_t rows)> progress = {};
};

// All that a run depends on beside its rows and options.
struct KMeansState {
  int64_t passes = 0;  // done
  bool converged = false;
  double inertia = 0;          // sum of squared distances of the last pass, to the centres before it
  int64_t empty = 0;           // clusters without rows in the last pass, whose centres were moved to far rows
  std::vector<float> centres;  // [K][D]
  std::vector<double> counts;  // [K]: rows of the last pass; of all passes for mini-batches
};

class KMeans {
 public:
  // Chooses the first centres. The rows must outlive the object and may be a mapped file, or in the memory of
  // the GPU. Errors: kUsage (K or a value that makes no sense, more clusters than rows; a row with NaN or
  // infinity is named), kResource (the GPU cannot be used).
  static Result<KMeans> Start(const Rows& rows, KMeansOptions options);
  // Goes on from a state of a run with the same rows and options.
  static Result<KMeans> Resume(const Rows& rows, KMeansOptions options, KMeansState state);

  bool Done() const { return state_.converged || state_.passes >= options_.passes; }
  Status Pass();
  const KMeansState& state() const { return state_; }
  // The cluster of each row, with the centres that there are now.
  Result<std::vector<int32_t>> Assign() const;

 private:
  KMeans(const Rows& rows, KMeansOptions options, KMeansState state, std::shared_ptr<ClusterPass> pass)
      : rows_(rows), options_(std::move(options)), state_(std::move(state)), pass_(std::move(pass)) {}

  struct Tally;
  Status LloydPass();
  Status BatchPass();
  Status EndPass(const Tally& tally, const std::vector<double>& counts);

  Rows rows_;
  KMeansOptions options_;
  KMeansState state_;
  std::shared_ptr<ClusterPass> pass_;
};

}  // namespace vqc
