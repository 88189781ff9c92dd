// SPDX-License-Identifier: Apache-2.0
// The filter for Hopper: one warp copies tiles of codewords into a ring, kGroups warpgroups multiply them
// with 64 queries each and look at the sums; while one looks, the tensor cores work for the others.
#include <algorithm>

#include "quantizers/search/cuda/filter.cuh"
#include "quantizers/search/cuda/kernels.cuh"
#include "quantizers/search/cuda/wgmma.cuh"

namespace vqc::cuda {
namespace {

constexpr int kMaxStages = 16, kMaxSteps = 4;  // of the ring; of 16 numbers of each codeword, in a stage

struct Shape {
  int groups;  // of eight numbers, in a vector
  int steps;   // products of 16 numbers in a stage
  int stages;
  bool shared_lists;
};

// Shared memory: queries, the ring, then what has fixed size.
struct Extent {
  size_t queries, ring, lists, small;
  size_t total() const { return queries + ring + lists + small; }
};

__host__ __device__ constexpr size_t SmallBytes(int rows) {
  return 2 * kMaxStages * sizeof(uint64_t) + rows * 4;
}

__host__ __device__ inline Extent ExtentOf(int rows, const Shape& shape) {
  const size_t stage = static_cast<size_t>(shape.steps) * kTileCodes * 32;
  return {static_cast<size_t>(shape.groups) * rows * 16, stage * shape.stages,
          shape.shared_lists ? static_cast<size_t>(rows) * kListEntries * sizeof(Candidate) : 0,
          SmallBytes(rows)};
}

#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
struct Ring {
  uint64_t *full, *empty;
  char* data;
  size_t stage_bytes;
  int stages, stage = 0;
  uint32_t parity = 0;

  __device__ void Next() {
    if (++stage == stages) stage = 0, parity ^= 1;
  }
};

// Brings the queries that are next into the L2 cache.
__device__ void PrefetchBlock(const FilterArgs& args, int64_t first, int rows) {
  if (!args.vector || args.x.stride != args.codes.dim) return;
  const int64_t count = min(static_cast<int64_t>(rows), args.x.rows - first);
  PrefetchL2(args.x.data + first * args.x.stride,
             static_cast<uint32_t>(count * args.codes.dim * sizeof(float)));
}
#endif

template <int kGroups>
__global__ void __launch_bounds__(kGroups * 128 + 128, 1) Filter(const FilterArgs args, const Shape shape) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  constexpr int kRows = kGroups * 64;
  extern __shared__ __align__(1024) char memory[];
  const Extent extent = ExtentOf(kRows, shape);
  char* const queries = memory;
  Ring ring;
  ring.data = memory + extent.queries;
  ring.stages = shape.stages;
  ring.stage_bytes = extent.ring / shape.stages;
  auto* const shared_lists = reinterpret_cast<Candidate*>(memory + extent.queries + extent.ring);
  char* const rest = memory + extent.queries + extent.ring + extent.lists;
  ring.full = reinterpret_cast<uint64_t*>(rest);
  ring.empty = ring.full + kMaxStages;
  auto* const margins = reinterpret_cast<float*>(ring.empty + kMaxStages);

  const int warp = __shfl_sync(kAllLanes, static_cast<int>(threadIdx.x) / 32, 0),
            lane = static_cast<int>(threadIdx.x) % 32;
  if (threadIdx.x == 0) {
    for (int i = 0; i < shape.stages; ++i)
      InitBarrier(ring.full + i, 1), InitBarrier(ring.empty + i, kGroups * 4);
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
  }
  __syncthreads();

  const int64_t blocks = (args.x.rows + kRows - 1) / kRows, pieces = blocks * args.segments;
  const int chunks = (shape.groups / 2 + shape.steps - 1) / shape.steps;
  const size_t tile_bytes = static_cast<size_t>(shape.groups) * kTileCodes * 16;

  if (warp >= kGroups * 4) {
    GiveRegisters<24>();
    if (threadIdx.x != kGroups * 128) return;
    for (int64_t piece = blockIdx.x; piece < pieces; piece += gridDim.x) {
      const int first = static_cast<int>(piece / blocks) * args.tiles_per_segment;
      const int last = min(first + args.tiles_per_segment, args.codes.tiles());
      PrefetchBlock(args, (piece + gridDim.x) % blocks * kRows, kRows);
      for (int tile = first; tile < last; ++tile) {
        const char* from = reinterpret_cast<const char*>(args.codes.data) + tile_bytes * tile;
        size_t left = tile_bytes;
        for (int chunk = 0; chunk < chunks; ++chunk, ring.Next()) {
          const auto bytes = static_cast<uint32_t>(min(left, ring.stage_bytes));
          WaitBarrier(ring.empty + ring.stage, ring.parity ^ 1);
          ArriveExpecting(ring.full + ring.stage, bytes);
          CopyAsync(ring.data + ring.stage * ring.stage_bytes, from, bytes, ring.full + ring.stage);
          from += bytes, left -= bytes;
        }
      }
    }
    return;
  }

  TakeRegisters<kGroups == 4 ? 112 : 232>();
  const int group = warp / 4;
  char* const own_queries = queries + static_cast<size_t>(group) * 64 * 16 * shape.groups;
  Candidate* const lists =
      (shape.shared_lists ? shared_lists : args.scratch + size_t{blockIdx.x} * kRows * kListEntries) +
      warp * 16 * kListEntries;
  const uint32_t query_address = SharedAddress(own_queries), ring_address = SharedAddress(ring.data);

  for (int64_t piece = blockIdx.x; piece < pieces; piece += gridDim.x) {
    const int segment = static_cast<int>(piece / blocks);
    const int64_t first_row = piece % blocks * kRows + warp * 16;
    const int first = segment * args.tiles_per_segment,
              last = min(first + args.tiles_per_segment, args.codes.tiles());
    SyncWarpgroup(group);
    ConvertQueries(args, first_row, segment == 0,
                   {reinterpret_cast<uint4*>(own_queries) + warp % 4 * 16, 64, margins + warp * 16});
    PublishShared();
    SyncWarpgroup(group);
    RowStates state;
    OpenRows(margins + warp * 16, state);

    float v[64] = {};
    for (int tile = first; tile < last; ++tile) {
      int left = shape.groups / 2, before = 0;
      uint32_t query = query_address;
      Pin(v);
#pragma unroll 1
      for (int chunk = 0; chunk < chunks; ++chunk) {
        const int steps = min(left, shape.steps);
        uint64_t a = MatrixDescriptor(query, 64 * 16);
        uint64_t b = MatrixDescriptor(ring_address + static_cast<uint32_t>(ring.stage * ring.stage_bytes),
                                      kTileCodes * 16);
        WaitBarrier(ring.full + ring.stage, ring.parity);
        BeginProducts();
        for (int step = 0; step < steps; ++step, a += 2 * 64 * 16 / 16, b += 2 * kTileCodes * 16 / 16) {
          MultiplyAsync(v, a, b, chunk + step > 0);
        }
        CommitProducts();
        left -= steps;
        query += static_cast<uint32_t>(steps) * 2 * 64 * 16;
        if (chunk > 0) {
          WaitProducts<1>();
          if (lane == 0) Arrive(ring.empty + before);
        }
        before = ring.stage;
        ring.Next();
      }
      WaitProducts<0>();
      Pin(v);
      if (lane == 0) Arrive(ring.empty + before);
      CollectCandidates(v, tile * kTileCodes, lists, state);
    }
    CloseRows(args, first_row, segment, lists, state);
  }
#endif
}

template <int kGroups>
cudaError_t Launch(const FilterArgs& args, const Shape& shape, const Device& device, cudaStream_t stream) {
  const size_t bytes = ExtentOf(kGroups * 64, shape).total();
  const cudaError_t set = cudaFuncSetAttribute(Filter<kGroups>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                               static_cast<int>(bytes));
  if (set != cudaSuccess) return set;
  const int64_t blocks = (args.x.rows + kGroups * 64 - 1) / (kGroups * 64);
  const int64_t grid = std::min<int64_t>(blocks * args.segments, device.processors);
  Filter<kGroups><<<static_cast<unsigned>(grid), kGroups * 128 + 128, bytes, stream>>>(args, shape);
  return cudaGetLastError();
}

// As few stages a tile as there can be, of about the same size.
Shape ShapeOf(int dim) {
  const int steps = PaddedDim(dim) / 16, chunks = (steps + kMaxSteps - 1) / kMaxSteps;
  return {steps * 2, (steps + chunks - 1) / chunks, 0, false};
}

}  // namespace

bool PlanFilter90(int dim, int rows, const Device& device, FilterPlan& plan) {
  if (rows < 64) return false;
  Shape shape = ShapeOf(dim);
  for (const bool shared_lists : {true, false}) {
    for (int stages = kMaxStages; stages >= (shared_lists ? 4 : 3); --stages) {
      shape.stages = stages, shape.shared_lists = shared_lists;
      if (ExtentOf(rows, shape).total() <= device.shared_bytes) {
        plan = {rows, shape.stages, shared_lists};
        return true;
      }
    }
  }
  return false;
}

cudaError_t RunFilter90(const FilterArgs& args, const FilterPlan& plan, const Device& device,
                        cudaStream_t stream) {
  Shape shape = ShapeOf(args.codes.dim);
  shape.stages = plan.stages, shape.shared_lists = plan.shared_lists;
  switch (plan.rows) {
    case 256:
      return Launch<4>(args, shape, device, stream);
    case 128:
      return Launch<2>(args, shape, device, stream);
    default:
      return Launch<1>(args, shape, device, stream);
  }
}

}  // namespace vqc::cuda
