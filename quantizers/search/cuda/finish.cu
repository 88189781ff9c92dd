// SPDX-License-Identifier: Apache-2.0
// Where the codebook was searched in segments: the closest of all their candidates.
#include <algorithm>

#include "quantizers/search/cuda/candidates.cuh"

namespace vqc::cuda {
namespace {

constexpr int kWarps = 8;

// A warp a row: puts together what the segments have found.
__global__ void __launch_bounds__(kWarps * 32) Join(const FilterArgs args) {
  const int lane = static_cast<int>(threadIdx.x) % 32, segments = args.segments;  // at most 32
  for (int64_t row = static_cast<int64_t>(blockIdx.x) * kWarps + threadIdx.x / 32; row < args.x.rows;
       row += static_cast<int64_t>(gridDim.x) * kWarps) {
    const int64_t at = row * segments;
    const int own = lane < segments ? args.counts[at + lane] : 0;
    const int limit = __reduce_min_sync(kAllLanes, own > 0 ? args.limits[at + lane] : kNoLimit);
    const int least = __reduce_min_sync(kAllLanes, own);
    if (least < 0) {
      if (least == kInexact && lane == 0) PushInexact(args.exact, row);
      continue;
    }
    int end = own;  // of the segment's candidates among those of the row
    for (int step = 1; step < 32; step *= 2) {
      const int before = __shfl_up_sync(kAllLanes, end, step);
      if (lane >= step) end += before;
    }
    const int total = __shfl_sync(kAllLanes, end, 31);
    Best best = kNone();
    for (int base = 0; base < total; base += 32) {
      int segment = 0, begin = 0;
      for (int s = 0; s < segments; ++s) {
        const int end_of_s = __shfl_sync(kAllLanes, end, s);
        if (base + lane >= end_of_s) segment = s + 1, begin = end_of_s;
      }
      Candidate entry{kNoLimit, 0};
      if (base + lane < total) entry = args.candidates[(at + segment) * kListEntries + base + lane - begin];
      const bool alive = base + lane < total && entry.bits <= limit;
      const unsigned all = __ballot_sync(kAllLanes, alive);
      if (!alive) continue;
      if (total <= 32 && __popc(all) == 1) {
        args.ids[row] = entry.code;
      } else {
        const Best other =
            Score(args.codes.metric, args.x.data + row * args.x.stride,
                  args.codes.source.data + entry.code * args.codes.source.stride, args.codes.dim, entry.code);
        if (other < best) best = other;
      }
    }
    best = WarpMin(best);
    if (lane == 0 && best.id != INT64_MAX) args.ids[row] = best.id;
  }
}

}  // namespace

cudaError_t Finish(const FilterArgs& args, const Device& device, cudaStream_t stream) {
  const int64_t blocks = std::min<int64_t>((args.x.rows + kWarps - 1) / kWarps, device.processors * 8);
  Join<<<static_cast<unsigned>(blocks), kWarps * 32, 0, stream>>>(args);
  return cudaGetLastError();
}

}  // namespace vqc::cuda
