// SPDX-License-Identifier: Apache-2.0
// Searches one chunk of queries at a time: the integer filter first, then the metric's definition for what
// the filter cannot tell apart. docs/search.md has the mathematics; names are the same there.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "quantizers/search/kernels.h"
#include "quantizers/search/nearest_list.h"
#include "quantizers/search/packed_codebook.h"
#include "quantizers/search/search_output.h"

namespace vqc {

// The error for a row that holds NaN or infinity.
Error NotFinite(const Rows& queries, int64_t row, int64_t begin);

class ChunkSearch {
 public:
  // Queries that are searched together: as many as stay in the second-level cache, fewer where the codebook
  // stays in the first.
  static int64_t ChunkSize(const PackedCodebook& codebook);

  // All three outlive the object. `rows` is the most that Run is given.
  ChunkSearch(const PackedCodebook& codebook, const Kernels& kernels, const SearchOutput& output,
              int64_t rows);

  // Writes the results of the queries, whose first is row `begin` of the output.
  Status Run(const Rows& queries, int64_t begin);

 private:
  struct Candidate {
    double upper;  // bound of its score
    int32_t id;
  };
  // Of the 8 queries of a block. Blocks are filled up with queries of length 0.
  struct Block {
    double scale;
    double length[kBlock];    // |x'|
    double missed[kBlock];    // |x' - scale * integers|
    double rounding[kBlock];  // error of a score that depends on the query alone
    double least[kBlock];     // no codeword with a score below this can be a result
  };
  // What a block finds in a group.
  struct GroupView {
    bool fits;    // the bias is in the scores; else `offset` stands for it, which only bounds them from above
    float ratio;  // of the group's scale to that of the block; 0: without the bias
    double unit, offset;  // score = integer * unit + offset, up to `error`
    double error[kBlock];
    double upper[kBlock];  // bound of all scores
  };
  static constexpr int kMaxCandidates = 32;
  static constexpr size_t kRun = 4;  // groups whose tops are kept at a time

  Status Measure();
  void FillBlock(int64_t block);
  void ScoreRun(int64_t block, size_t first, size_t end);
  void ScoreGroup(int64_t block, const CodeGroup& group, GroupView& view, Tops* tops);
  void Collect(int64_t block, int q, const CodeGroup& group, const GroupView& view, const Tops& tops);
  double Raise(int64_t slot, double lower);
  void Append(int64_t slot, double least, Candidate candidate);
  void Settle(int64_t slot);
  void Finish(int64_t slot);

  Tops* TopsOf(size_t at_run) { return reinterpret_cast<Tops*>(tops_.data()) + at_run * kBlock; }
  const int16_t* IntegersOf(int64_t block) const { return integers_.data() + block * pairs_ * kBlock * 2; }
  double ScaleOf(double length) const;
  const float* Query(int64_t slot) const { return queries_.Row(order_[static_cast<size_t>(slot)]); }

  const PackedCodebook& codebook_;
  const Kernels& kernels_;
  const SearchOutput& output_;
  const int64_t pairs_;

  Rows queries_;
  int64_t begin_ = 0;
  std::vector<double> scales_;  // [rows]
  std::vector<int32_t> order_;  // [slots]: the query in each place of the blocks
  std::vector<Block> blocks_;
  AlignedArray<int16_t> integers_;  // [blocks][pairs][kBlock][2]
  AlignedArray<double> centred_;    // [dim]
  AlignedArray<int32_t> tops_;      // [kRun][kBlock] Tops
  Above above_;
  std::vector<Candidate> candidates_;  // [slots][kMaxCandidates]
  std::vector<int> counts_;            // [slots]
  std::vector<NearestList> nearest_;   // [slots]
  std::vector<double> lowers_;         // [slots][neighbours], greatest first
};

}  // namespace vqc
