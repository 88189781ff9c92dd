// SPDX-License-Identifier: Apache-2.0
#include "quantizers/search/chunk_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

namespace vqc {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kMaxBias = 0x1p30;       // so that bias and product together stay within int32
constexpr double kSlack = 512;            // units: rounding of the bias and of float64, both far below
constexpr int64_t kTileBytes = 1 << 18;   // of packed codewords that stay in the cache for a chunk
constexpr int64_t kFirstCache = 1 << 15;  // bytes of packed codewords that stay in it
constexpr int64_t kFewQueries = 64;
constexpr double kMaxScaleRatio = 4;  // of queries that may share a block

// An integer score below which no value in its units reaches `least`.
int32_t Threshold(double least) {
  return static_cast<int32_t>(std::clamp(least, -0x1p31 + 3, 0x1p31 - 1)) - 2;
}

}  // namespace

Error NotFinite(const Rows& queries, int64_t row, int64_t begin) {
  const float* x = queries.Row(row);
  int64_t d = 0;
  while (d + 1 < queries.cols && std::isfinite(x[d])) ++d;
  return {ErrorCode::kUsage, "search: row " + std::to_string(begin + row) + " of the queries holds " +
                                 (std::isnan(x[d]) ? "NaN" : "infinity") + " at position " +
                                 std::to_string(d) + "; values must be finite"};
}

int64_t ChunkSearch::ChunkSize(const PackedCodebook& codebook) {
  const auto bytes = static_cast<int64_t>(codebook.codes.size() * sizeof(int16_t));
  if (bytes <= kFirstCache) return kFewQueries;
  return std::clamp<int64_t>((1 << 17) / codebook.dim / kBlock * kBlock, kFewQueries, 1024);
}

ChunkSearch::ChunkSearch(const PackedCodebook& codebook, const Kernels& kernels, const SearchOutput& output,
                         int64_t rows)
    : codebook_(codebook), kernels_(kernels), output_(output), pairs_((codebook.dim + 1) / 2) {
  const int64_t blocks = (rows + kBlock - 1) / kBlock;
  const auto slots = static_cast<size_t>(blocks * kBlock);
  scales_.resize(static_cast<size_t>(rows));
  order_.resize(slots);
  blocks_.resize(static_cast<size_t>(blocks));
  integers_ = AlignedArray<int16_t>(slots * static_cast<size_t>(pairs_) * 2);
  centred_ = AlignedArray<double>(static_cast<size_t>(codebook.dim));
  tops_ = AlignedArray<int32_t>(kRun * kBlock * sizeof(Tops) / sizeof(int32_t));
  candidates_.resize(slots * kMaxCandidates);
  counts_.resize(slots);
  nearest_.assign(slots, NearestList(codebook.metric, output.neighbours()));
  lowers_.resize(slots * static_cast<size_t>(output.neighbours()));
}

Status ChunkSearch::Run(const Rows& queries, int64_t begin) {
  queries_ = queries;
  begin_ = begin;
  VQC_TRY(Measure());
  const int64_t blocks = (queries.rows + kBlock - 1) / kBlock;
  for (int64_t block = 0; block < blocks; ++block) FillBlock(block);
  const int64_t group_bytes = codebook_.groups[0].panels * pairs_ * kPanel * 4;
  const auto tile = static_cast<size_t>(std::max<int64_t>(1, kTileBytes / group_bytes));
  for (size_t first = 0; first < codebook_.groups.size(); first += tile) {
    const size_t end = std::min(first + tile, codebook_.groups.size());
    for (int64_t block = 0; block < blocks; ++block) {
      for (size_t g = first; g < end; g += kRun) ScoreRun(block, g, std::min(g + kRun, end));
    }
  }
  for (int64_t slot = 0; slot < queries.rows; ++slot) Finish(slot);
  return {};
}

// A codeword that is longer than about 2 |x'| + (length of the shortest) cannot be the closest one, so the
// scale needs to leave room for the bias of shorter ones only.
double ChunkSearch::ScaleOf(double length) const {
  if (codebook_.metric != Metric::kSquaredL2) return length / kLength;
  const double longest = codebook_.groups.back().max_length, shortest = codebook_.groups.front().max_length;
  return std::max(length, 0.5 * std::min(longest, 3 * length + shortest)) / kLength;
}

// Checks the queries and puts those of like scale together.
Status ChunkSearch::Measure() {
  double least = kInfinity, most = 0;
  for (int64_t row = 0; row < queries_.rows; ++row) {
    const double square =
        kernels_.centre(queries_.Row(row), codebook_.query_centre.data(), codebook_.dim, centred_.data());
    if (!std::isfinite(square)) return NotFinite(queries_, row, begin_ + output_.first_query());
    const double scale = ScaleOf(std::sqrt(square));
    scales_[static_cast<size_t>(row)] = scale;
    least = std::min(least, scale);
    most = std::max(most, scale);
  }
  for (size_t i = 0; i < order_.size(); ++i) order_[i] = static_cast<int32_t>(i);
  if (most > kMaxScaleRatio * least) {
    std::sort(order_.begin(), order_.begin() + queries_.rows, [&](int32_t a, int32_t b) {
      return scales_[static_cast<size_t>(a)] < scales_[static_cast<size_t>(b)];
    });
  }
  return {};
}

void ChunkSearch::FillBlock(int64_t at) {
  Block& block = blocks_[static_cast<size_t>(at)];
  int16_t* integers = integers_.data() + at * pairs_ * kBlock * 2;
  std::fill_n(integers, pairs_ * kBlock * 2, int16_t{0});
  const int count = static_cast<int>(std::min<int64_t>(kBlock, queries_.rows - at * kBlock));
  block.scale = 0;
  for (int q = 0; q < count; ++q) {
    block.scale =
        std::max(block.scale, scales_[static_cast<size_t>(order_[static_cast<size_t>(at * kBlock + q)])]);
  }
  if (block.scale == 0) block.scale = 1;
  for (int q = 0; q < kBlock; ++q) {
    const int64_t slot = at * kBlock + q;
    block.length[q] = block.missed[q] = block.rounding[q] = 0;
    block.least[q] = q < count ? -kInfinity : kInfinity;
    if (q >= count) continue;
    counts_[static_cast<size_t>(slot)] = 0;
    nearest_[static_cast<size_t>(slot)].Clear();
    const double square =
        kernels_.centre(Query(slot), codebook_.query_centre.data(), codebook_.dim, centred_.data());
    block.length[q] = std::sqrt(square) * (1 + 1e-9);
    block.missed[q] =
        std::sqrt(kernels_.quantize(centred_.data(), codebook_.dim, block.scale, integers + 2 * q)) *
            (1 + 1e-9) +
        block.length[q] * 0x1p-49;
    if (codebook_.metric == Metric::kSquaredL2) {
      block.rounding[q] = 2 * codebook_.rounding * square;
    } else if (square == 0) {  // all values are 0, so the first codewords it is
      block.least[q] = kInfinity;
      for (int id = 0; id < output_.neighbours(); ++id) nearest_[static_cast<size_t>(slot)].Offer(0.0, id);
    }
    const auto k = static_cast<size_t>(output_.neighbours());
    std::fill_n(lowers_.begin() + static_cast<int64_t>(static_cast<size_t>(slot) * k), k, -kInfinity);
  }
}

// The maxima of a whole run raise what is asked of a candidate before any is collected.
void ChunkSearch::ScoreRun(int64_t at, size_t first, size_t end) {
  Block& block = blocks_[static_cast<size_t>(at)];
  GroupView views[kRun];
  for (size_t g = first; g < end; ++g)
    ScoreGroup(at, codebook_.groups[g], views[g - first], TopsOf(g - first));
  for (size_t g = first; g < end; ++g) {
    const GroupView& view = views[g - first];
    for (int q = 0; q < kBlock; ++q) {
      if (view.upper[q] >= block.least[q]) {
        Collect(at, q, codebook_.groups[g], view, TopsOf(g - first)[q]);
      }
    }
  }
}

void ChunkSearch::ScoreGroup(int64_t at, const CodeGroup& group, GroupView& view, Tops* tops) {
  Block& block = blocks_[static_cast<size_t>(at)];
  const double unit = block.scale * group.scale;
  view.unit = unit;
  view.fits = group.max_half_square <= kMaxBias * unit;
  view.offset = view.fits ? 0 : -group.min_half_square;
  view.ratio = view.fits && group.max_half_square > 0 ? static_cast<float>(group.scale / block.scale) : 0;
  int32_t maxima[kBlock];
  kernels_.score(group, IntegersOf(at), view.ratio, tops, maxima);
  const bool raise = view.fits && output_.neighbours() == 1;
  const double base = group.error + kSlack * unit, lower_offset = raise ? 0 : -kInfinity;
  for (int q = 0; q < kBlock; ++q) {
    const double value = maxima[q] * unit;
    const double error = block.length[q] * group.error_per_length + block.missed[q] * group.code_length +
                         (block.rounding[q] + base);
    const double lower = value - error + lower_offset;
    view.error[q] = error;
    view.upper[q] = value + error + view.offset;
    block.least[q] = lower > block.least[q] ? lower : block.least[q];
  }
}

void ChunkSearch::Collect(int64_t at, int q, const CodeGroup& group, const GroupView& view,
                          const Tops& tops) {
  double& least = blocks_[static_cast<size_t>(at)].least[q];
  const int64_t slot = at * kBlock + q;
  const double unit = view.unit, reach = view.error[q] + view.offset;
  kernels_.above(group, IntegersOf(at), q, view.ratio, tops, Threshold((least - reach) / unit), above_);
  if (output_.neighbours() > 1 && view.fits) {
    for (int i = 0; i < above_.count; ++i) least = Raise(slot, above_.scores[i] * unit - view.error[q]);
  }
  for (int i = 0; i < above_.count; ++i) {
    const double upper = above_.scores[i] * unit + reach;
    if (upper >= least) Append(slot, least, {upper, group.ids[above_.positions[i]]});
  }
}

// Notes that a codeword has at least this score; returns the k-th greatest of such bounds.
double ChunkSearch::Raise(int64_t slot, double lower) {
  const int k = output_.neighbours();
  double* lowers = lowers_.data() + slot * k;
  if (lower > lowers[k - 1]) {
    int i = k - 1;
    for (; i > 0 && lowers[i - 1] < lower; --i) lowers[i] = lowers[i - 1];
    lowers[i] = lower;
  }
  return lowers[k - 1];
}

void ChunkSearch::Append(int64_t slot, double least, Candidate candidate) {
  Candidate* list = candidates_.data() + slot * kMaxCandidates;
  int& count = counts_[static_cast<size_t>(slot)];
  if (count == kMaxCandidates) {
    count = static_cast<int>(
        std::remove_if(list, list + count, [&](const Candidate& c) { return c.upper < least; }) - list);
    if (count > kMaxCandidates / 2) Settle(slot);
  }
  list[count++] = candidate;
}

// Decides among the candidates so far by the definition of the metric.
void ChunkSearch::Settle(int64_t slot) {
  const Candidate* list = candidates_.data() + slot * kMaxCandidates;
  int& count = counts_[static_cast<size_t>(slot)];
  for (int i = 0; i < count; ++i) {
    const double value = MetricValue(codebook_.metric, Query(slot), codebook_.Row(list[i].id), codebook_.dim);
    nearest_[static_cast<size_t>(slot)].Offer(value, list[i].id);
  }
  count = 0;
}

void ChunkSearch::Finish(int64_t slot) {
  Candidate* list = candidates_.data() + slot * kMaxCandidates;
  int& count = counts_[static_cast<size_t>(slot)];
  const double least = blocks_[static_cast<size_t>(slot / kBlock)].least[slot % kBlock];
  count = static_cast<int>(
      std::remove_if(list, list + count, [&](const Candidate& c) { return c.upper < least; }) - list);
  const int64_t row = begin_ + order_[static_cast<size_t>(slot)];
  NearestList& nearest = nearest_[static_cast<size_t>(slot)];
  if (count == 1 && nearest.count() == 0 && output_.neighbours() == 1 && !output_.wants_values()) {
    output_.WriteId(row, 0, list[0].id);
    return;
  }
  Settle(slot);
  output_.Write(row, nearest);
}

}  // namespace vqc
