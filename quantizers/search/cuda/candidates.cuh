// SPDX-License-Identifier: Apache-2.0
// What happens to a tile of V: codewords that can still be the closest are put on their row's list.
//
// A warp holds 16 rows x 128 codewords in the accumulator layout that wgmma and mma.sync share: lane l has
// rows l / 4 and l / 4 + 8, and columns 8 i + 2 (l % 4) + {0, 1}. Four lanes, a quad, see a row.
//
// V is compared as the integer of its bits. Limits are positive, and a negative V is below them either way.
#pragma once

#include "quantizers/search/cuda/kernels.cuh"
#include "quantizers/search/cuda/rows.cuh"

namespace vqc::cuda {

inline constexpr int kNoLimit = 0x7f7fffff;                    // of a row that has seen no codeword: finite V
inline constexpr int kClosed = static_cast<int>(0x80000000u);  // of a row that looks for nothing
inline constexpr int kOverflow = 1 << 20;                      // the count of a list that lost candidates

__device__ inline int Min3(int a, int b, int c) {
#if __CUDA_ARCH__ >= 900
  return __vimin3_s32(a, b, c);
#else
  return min(min(a, b), c);
#endif
}

__device__ inline int Min8(const float (&v)[64], int first, int row) {
  // Columns of four neighbouring blocks of eight: numbers 4 i + 2 row + {0, 1}.
  const auto at = [&](int i) { return __float_as_int(v[first + i / 2 * 4 + row * 2 + i % 2]); };
  return min(Min3(Min3(Min3(at(0), at(1), at(2)), at(3), at(4)), at(5), at(6)), at(7));
}

__device__ inline int QuadMin(int value) {
  value = min(value, __shfl_xor_sync(kAllLanes, value, 1));
  return min(value, __shfl_xor_sync(kAllLanes, value, 2));
}

// What a lane knows of its two rows; the same in the four lanes of a quad.
struct RowStates {
  int least[2];     // V so far
  int limit[2];     // V up to it is a candidate
  float margin[2];  // between the two
  int count[2];     // of candidates on the list, or kOverflow, kDone
};

// Drops the candidates of a row that are above its limit. Called by the first lane of a quad.
__device__ inline int Compact(Candidate* entries, int count, int limit) {
  int kept = 0;
  for (int i = 0; i < count; ++i) {
    const Candidate entry = entries[i];
    if (entry.bits <= limit) entries[kept++] = entry;
  }
  return kept;
}

// Puts the V of a row of each lane that are within its limit on the row's list.
__device__ inline void AppendRow(const float (&v)[64], const int (&group)[4], int least, int row,
                                 int first_code, Candidate* lists, RowStates& state) {
  const int lane = static_cast<int>(threadIdx.x) % 32, limit = state.limit[row];
  const auto bits = [&](int i) { return __float_as_int(v[i / 2 * 4 + row * 2 + i % 2]); };
  unsigned within = 0;
#pragma unroll
  for (int g = 0; g < 4; ++g) {
    if (__any_sync(kAllLanes, group[g] <= limit)) {
#pragma unroll
      for (int i = g * 8; i < g * 8 + 8; ++i) within |= bits(i) <= limit ? 1u << i : 0u;
    }
  }
  Candidate* const list = lists + (lane / 4 + row * 8) * kListEntries;
  const int first = first_code + lane % 4 * 2, quad = lane & ~3;
  __syncwarp();  // what other lanes wrote to the list comes before
  const unsigned some = __ballot_sync(kAllLanes, within != 0);
  if (!__any_sync(kAllLanes, __popc(within) > 1)) {  // nearly always
    const int at = state.count[row] + __popc(some >> quad & ((1u << (lane - quad)) - 1));
    const int i = __ffs(static_cast<int>(within)) - 1;
    if (within && at < kListEntries) list[at] = {least, first + i / 2 * 8 + i % 2};
    state.count[row] += __popc(some >> quad & 15);
  } else {
    int at = state.count[row], added = 0;
    for (int other = 0; other < 4; ++other) {
      const int theirs = __shfl_sync(kAllLanes, __popc(within), quad + other);
      added += theirs;
      if (quad + other < lane) at += theirs;
    }
#pragma unroll
    for (int g = 0; g < 4; ++g) {
      if (!__any_sync(kAllLanes, within >> g * 8 & 255)) continue;
#pragma unroll
      for (int i = g * 8; i < g * 8 + 8; ++i) {
        if (within >> i & 1) {
          if (at < kListEntries) list[at] = {bits(i), first + i / 2 * 8 + i % 2};
          ++at;
        }
      }
    }
    state.count[row] += added;
  }
  if (__any_sync(kAllLanes, state.count[row] > kListEntries / 2)) {
    if (state.count[row] > kListEntries) {
      state.count[row] = kOverflow, state.limit[row] = kClosed, state.least[row] = kClosed;
    }
    __syncwarp();
    int count = state.count[row];
    if (lane == quad && count > kListEntries / 2 && count <= kListEntries)
      count = Compact(list, count, limit);
    __syncwarp();
    state.count[row] = __shfl_sync(kAllLanes, count, quad);
  }
}

__device__ inline void CollectCandidates(const float (&v)[64], int first_code, Candidate* lists,
                                         RowStates& state) {
  int group[2][4];
  int least[2];
#pragma unroll
  for (int row = 0; row < 2; ++row) {
#pragma unroll
    for (int g = 0; g < 4; ++g) group[row][g] = Min8(v, g * 16, row);
    least[row] = min(Min3(group[row][0], group[row][1], group[row][2]), group[row][3]);
  }
  if (!__any_sync(kAllLanes, least[0] <= state.limit[0] || least[1] <= state.limit[1])) return;
#pragma unroll
  for (int row = 0; row < 2; ++row) {
    if (!__any_sync(kAllLanes, least[row] <= state.limit[row])) continue;
    const int best = QuadMin(least[row]);
    if (best < state.least[row]) {
      const int limit = __float_as_int(__fadd_ru(__int_as_float(best), state.margin[row]));
      if (state.least[row] > limit) state.count[row] = 0;  // nothing on the list is below the former least
      state.limit[row] = limit;
      state.least[row] = best;
    }
    AppendRow(v, group[row], least[row], row, first_code, lists, state);
  }
}

}  // namespace vqc::cuda
