// SPDX-License-Identifier: Apache-2.0
// What both tensor-core kernels (filter_sm80.cu, filter_sm90.cu) do for 16 rows of a warp: the queries before
// the first tile, the lists after the last.
#pragma once

#include "quantizers/search/cuda/bound.cuh"
#include "quantizers/search/cuda/candidates.cuh"
#include "quantizers/search/cuda/kernels.cuh"

namespace vqc::cuda {

// Where a warp's 16 rows go: row r of the tile at to[group * tile_rows + r].
struct QueryTile {
  uint4* to;
  int tile_rows;
  float* margins;  // [16]; below zero where there is nothing to look for
};

// Up to so many groups of eight numbers a lane, of a row of up to 4 * 8 * kHeld numbers, are read at once.
inline constexpr int kHeld = 4;

// What is known of a row after its numbers have been converted.
struct ConvertedRow {
  float squares = 0, lost = 0;
  int exponent = 0;  // it was scaled by two to this
  bool usable = false, finite = true, zero = false;
};

// Converts eight of the rows to float16; `held` has their numbers, centered, where dim <= 32 * kHeld.
__device__ inline ConvertedRow ConvertEight(const FilterArgs& args, const CodebookHeader& codes, int64_t row,
                                            const float (&held)[kHeld][8], uint4* to, int tile_rows) {
  const int lane = static_cast<int>(threadIdx.x) % 32, dim = args.codes.dim, groups = PaddedDim(dim) / 8;
  const bool holds = dim <= 32 * kHeld, l2 = args.codes.metric == Metric::kSquaredL2;
  const int codebook_exponent = CodebookExponent(args.codes.metric, codes, dim);
  const bool in_range = row < args.x.rows;
  const float* const x = args.x.data + row * args.x.stride;
  ConvertedRow converted;
  float most = 0;
  if (holds) {
#pragma unroll
    for (int i = 0; i < kHeld; ++i) {
      if (i * 32 < dim) most = MaxAbs(most, held[i]);
    }
    converted.finite = most <= kMaxFloat;
    most = RowMax(converted.finite ? most : kMaxFloat);
  }
  // Centering can overflow: then it is the numbers themselves that count.
  if (!holds || __any_sync(kAllLanes, !converted.finite)) {
    most = RowMaxAbs(x, args.codes.center, dim, args.vector, in_range, converted.finite);
  }
  const bool same_codes = args.codes.metric != Metric::kCosine && codes.max_abs == 0;
  converted.zero = same_codes || (!l2 && most == 0);  // all codewords are equally close
  converted.usable =
      in_range && converted.finite && !converted.zero && Scalable(most) && Scalable(codes.max_abs);
  int& exponent = converted.exponent;
  exponent = most > 0 && converted.usable ? SpanExponent(dim) - ExponentAbove(most) : codebook_exponent;
  if (l2) exponent = min(exponent, codebook_exponent);
  const float scale = converted.usable ? -PowerOfTwo(exponent) : 0.f;
  if (holds) {
#pragma unroll
    for (int i = 0; i < kHeld; ++i) {
      const int group = lane / 8 + i * 4;
      if (group >= groups) break;
      uint4 numbers = make_uint4(0, 0, 0, 0);
      if (i * 32 < dim && converted.usable) {
        numbers = ConvertGroup(held[i], scale, converted.squares, converted.lost);
      }
      to[group * tile_rows] = numbers;
    }
    const int group = lane / 8 + kHeld * 4;
    if (group < groups) to[group * tile_rows] = make_uint4(0, 0, 0, 0);
  } else {
    for (int group = lane / 8; group < groups; group += 4) {
      float v[8] = {};
      if (converted.usable) {
        LoadGroup(x, group, dim, args.vector, v);
        Center(args.codes.center, group, v);
      }
      to[group * tile_rows] = ConvertGroup(v, scale, converted.squares, converted.lost);
    }
  }
  converted.squares = RowSum(converted.squares);
  converted.lost = RowSum(converted.lost);
  return converted;
}

// Of the lanes that know a row one fills in what is beside its numbers.
__device__ inline void FinishRow(const FilterArgs& args, const CodebookHeader& codes, int64_t row,
                                 bool leader, const ConvertedRow& converted, uint4* to, int tile_rows,
                                 float* margin) {
  const int dim = args.codes.dim, codebook_exponent = CodebookExponent(args.codes.metric, codes, dim);
  const int shift = converted.exponent - codebook_exponent;
  const float multiplier = args.codes.metric == Metric::kSquaredL2 && shift >= -24 ? PowerOfTwo(shift) : 0.f;
  const QueryBound bound = BoundQuery(args.codes.metric, codes, dim, converted.squares, converted.lost,
                                      multiplier, converted.exponent, codebook_exponent);
  const bool search = converted.usable && bound.margin <= 1e30f;
  const auto put = [&](int i, float value) {
    reinterpret_cast<__half*>(to + i / 8 * tile_rows)[i % 8] = __float2half_rn(value);
  };
  put(dim, multiplier), put(dim + 1, multiplier), put(dim + 2, multiplier);
  put(dim + 3, search ? bound.offset : 1.f);
  *margin = search ? bound.margin : -1.f;
  if (leader && row < args.x.rows && !search) {
    args.ids[row] = 0;
    if (!converted.finite) NoteBadRow(&args.bad_rows->query, args.first_row + row);
    if (converted.finite && !converted.zero) PushInexact(args.exact, row);
  }
  if (leader && row == 0 && codes.bad_row != kCudaNoRow) {
    NoteBadRow(&args.bad_rows->codeword, static_cast<int64_t>(codes.bad_row));
  }
}

__device__ inline void ConvertQueries(const FilterArgs& args, int64_t first, bool leader,
                                      const QueryTile& tile) {
  const CodebookHeader codes = *args.codes.header;
  const int lane = static_cast<int>(threadIdx.x) % 32, dim = args.codes.dim;
  ConvertedRow rows[2];
#pragma unroll 1
  for (int half = 0; half < 2; ++half) {
    const int64_t row = first + half * 8 + lane % 8;
    const float* const x = args.x.data + row * args.x.stride;
    float held[kHeld][8];
#pragma unroll
    for (int i = 0; i < kHeld; ++i) {
      const int group = lane / 8 + i * 4;
      if (dim <= 32 * kHeld && group * 8 < dim && row < args.x.rows) {
        LoadGroup(x, group, dim, args.vector, held[i]);
      } else {
        for (float& number : held[i]) number = 0;
      }
    }
#pragma unroll
    for (int i = 0; i < kHeld; ++i) {
      const int group = lane / 8 + i * 4;
      if (dim <= 32 * kHeld && group * 8 < dim && row < args.x.rows)
        Center(args.codes.center, group, held[i]);
    }
    const ConvertedRow converted =
        ConvertEight(args, codes, row, held, tile.to + half * 8 + lane % 8, tile.tile_rows);
    if (half == 0) {
      rows[0] = converted;
    } else {
      rows[1] = converted;
    }
  }
  __syncwarp();
  if (lane < 16) {
    const ConvertedRow own = lane < 8 ? rows[0] : rows[1];
    FinishRow(args, codes, first + lane, leader, own, tile.to + lane, tile.tile_rows, tile.margins + lane);
  }
  __syncwarp();
}

__device__ inline void OpenRows(const float* margins, RowStates& state) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
#pragma unroll
  for (int row = 0; row < 2; ++row) {
    state.margin[row] = margins[lane / 4 + row * 8];
    const bool closed = state.margin[row] < 0;
    state.limit[row] = state.least[row] = closed ? kClosed : kNoLimit;
    state.count[row] = closed ? kDone : 0;
  }
}

// The least of the values of a warp's lanes over those that share `row`, which come one after another.
__device__ inline Best SegmentMin(Best best, int row) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  for (int step = 1; step < 32; step *= 2) {
    const Best other{__shfl_down_sync(kAllLanes, best.key, step), __shfl_down_sync(kAllLanes, best.id, step)};
    const int other_row = __shfl_down_sync(kAllLanes, row, step);
    if (lane + step < 32 && other_row == row && other < best) best = other;
  }
  return best;  // complete in the first lane of a row
}

// Scores the first `filled` entries, {local row, codeword} in the order of rows, and writes the closest.
__device__ inline void Rescore(const FilterArgs& args, int64_t first, const Candidate* entries, int filled) {
  const int lane = static_cast<int>(threadIdx.x) % 32, dim = args.codes.dim;
  __syncwarp();
  Candidate entry{-1, 0};
  if (lane < filled) entry = entries[lane];
  __syncwarp();
  const int row_before = __shfl_up_sync(kAllLanes, entry.bits, 1);
  const unsigned heads = __ballot_sync(kAllLanes, lane == 0 || row_before != entry.bits);
  const int head = 31 - __clz(static_cast<int>(heads & (0xffffffffu >> (31 - lane))));
  bool open = lane < filled;
  if (args.codes.metric == Metric::kSquaredL2 && dim >= 32) {
    // First by sums in another order, all lanes at one distance. All terms are positive, so either sum is
    // within a factor of 1 + 2^-42 of the true one, and what is 2^-40 farther away cannot be the closest.
    double distance = 0;
    for (int i = 0; i < filled; ++i) {
      const int local = __shfl_sync(kAllLanes, entry.bits, i), code = __shfl_sync(kAllLanes, entry.code, i);
      const float* const x = args.x.data + (first + local) * args.x.stride;
      const float* const c = args.codes.source.data + code * args.codes.source.stride;
      double sum = 0;
#pragma unroll 4
      for (int d = lane; d < dim; d += 32) {
        const double t = static_cast<double>(x[d]) - static_cast<double>(c[d]);
        sum = fma(t, t, sum);
      }
      for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(kAllLanes, sum, step);
      if (i == lane) distance = sum;
    }
    const Best least = SegmentMin({distance, entry.code}, entry.bits);
    const double bound = __shfl_sync(kAllLanes, least.key, head) * (1 + 0x1p-40);
    open = open && distance <= bound;
    const unsigned all = __ballot_sync(kAllLanes, open);
    const unsigned mates = __match_any_sync(kAllLanes, entry.bits);
    if (open && __popc(all & mates) == 1) {
      args.ids[first + entry.bits] = entry.code;
      open = false;
    }
    const bool decided = __popc(all & mates) == 1;
    if (__all_sync(kAllLanes, decided || lane >= filled)) return;
    if (decided) open = false;
  }
  Best best = kNone();
  if (open) {
    best = Score(args.codes.metric, args.x.data + (first + entry.bits) * args.x.stride,
                 args.codes.source.data + entry.code * args.codes.source.stride, dim, entry.code);
  }
  __syncwarp();
  best = SegmentMin(best, entry.bits);
  if (lane < filled && lane == head && best.id != INT64_MAX) args.ids[first + entry.bits] = best.id;
}

// Decides the rows, or where there are several segments hands on what this one has found.
__device__ inline void CloseRows(const FilterArgs& args, int64_t first, int segment, Candidate* lists,
                                 const RowStates& state) {
  const int lane = static_cast<int>(threadIdx.x) % 32, quad = lane % 8 * 4;
  __syncwarp();
  // Lane l looks after row l.
  const int limits[2] = {__shfl_sync(kAllLanes, state.limit[0], quad),
                         __shfl_sync(kAllLanes, state.limit[1], quad)};
  const int counts[2] = {__shfl_sync(kAllLanes, state.count[0], quad),
                         __shfl_sync(kAllLanes, state.count[1], quad)};
  const int own_limit = lane < 8 ? limits[0] : limits[1];
  const bool valid = lane < 16 && first + lane < args.x.rows;
  int own_count = !valid ? kDone : lane < 8 ? counts[0] : counts[1];
  const bool one = args.segments == 1;
  const int64_t at = (first + lane) * args.segments + segment;
  if (valid && own_count >= kOverflow) {
    own_count = kInexact;
    if (one) PushInexact(args.exact, first + lane);
  }
  if (own_count == 1) {
    const Candidate only = lists[lane * kListEntries];
    if (one) {
      args.ids[first + lane] = only.code;
    } else {
      args.candidates[at * kListEntries] = only;
    }
  }
  if (!one && valid && own_count <= 1) args.counts[at] = own_count, args.limits[at] = own_limit;
  unsigned open = __ballot_sync(kAllLanes, own_count > 1);
  int filled = 0;
  while (open) {
    const int row = __ffs(static_cast<int>(open)) - 1;
    open &= open - 1;
    const int count = __shfl_sync(kAllLanes, own_count, row), limit = __shfl_sync(kAllLanes, own_limit, row);
    Candidate entry{kNoLimit, 0};
    if (lane < count) entry = lists[row * kListEntries + lane];
    const unsigned alive = __ballot_sync(kAllLanes, lane < count && entry.bits <= limit);
    const int kept = __popc(alive), rank = __popc(alive & ((1u << lane) - 1));
    const bool mine = alive >> lane & 1;
    if (!one) {
      const int64_t to = (first + row) * args.segments + segment;
      if (mine) args.candidates[to * kListEntries + rank] = entry;
      if (lane == 0) args.counts[to] = kept, args.limits[to] = limit;
    } else if (kept == 1) {
      if (mine) args.ids[first + row] = entry.code;
    } else {
      if (filled + kept > 32) {
        Rescore(args, first, lists, filled);
        filled = 0;
      }
      __syncwarp();
      if (mine) lists[filled + rank] = {row, entry.code};  // what was there has been read
      filled += kept;
    }
  }
  if (filled > 0) Rescore(args, first, lists, filled);
}

}  // namespace vqc::cuda
